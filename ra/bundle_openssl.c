/* SPDX-License-Identifier: Apache-2.0 */
/* openssl cmp, and gencmpclient, which has its options and reads them from a file. */
#include <string.h>

#include "base/mem.h"
#include "ra/bundle.h"

/* ---- openssl cmp ---- */

static void
add_command(struct bundle *b, const char *what, const char *arguments)
{
    CLEANUP(mem_cleanup) char *url = bundle_quoted(b->url);
    CLEANUP(mem_cleanup) char *recipient = bundle_quoted(b->recipient);

    bundle_add(b, "  openssl cmp -cmd %s -server %s -recipient %s -trusted root.pem%s %s\n", what,
               url, recipient, b->tls ? " -tls_used -tls_trusted tls-root.pem" : "", arguments);
}

static const char *
certificate_file(const struct bundle *b)
{
    return strcmp(b->proof, "publicKey") == 0 ? "self.pem" : "initial.pem";
}

static const char *
key_file(const struct bundle *b)
{
    return strcmp(b->proof, "publicKey") == 0 ? "nf.key" : "initial.key";
}

static const char *
extra_file(const struct bundle *b)
{
    return strcmp(b->proof, "vendor") == 0 ? "vendor-chain.pem" : certificate_file(b);
}

/* The subject is the registered one, whose parts have no character that would need quoting: nothing
 * of the request is replaced then. */
static void
openssl_enrol(struct bundle *b)
{
    CLEANUP(mem_cleanup) char *reference = bundle_quoted(bundle_member(b->answer, "reference"));
    CLEANUP(mem_cleanup) char *issuer = bundle_quoted(b->recipient);
    CLEANUP(mem_cleanup) char *proof = NULL;
    CLEANUP(mem_cleanup) char *arguments = NULL;

    bundle_add_key(b);
    if (strcmp(b->proof, "mac") == 0) {
        proof = mem_printf("-ref %s -secret file:secret.txt", reference);
    } else {
        /* Without -issuer the client would ask for the issuer of -cert. */
        proof = mem_printf("-cert %s -key %s -extracerts %s -issuer %s", certificate_file(b),
                           key_file(b), extra_file(b), issuer);
    }
    arguments = mem_printf("%s -subject %s -newkey nf.key -certout nf.pem -chainout chain.pem",
                           proof, b->subject);
    add_command(b, "ir", arguments);
}

static void
add_new_key(struct bundle *b)
{
    bundle_add(b, "  openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "
                  "new.key\n");
}

static void
openssl_renew(struct bundle *b)
{
    add_new_key(b);
    add_command(b, "kur",
                "-cert nf.pem -key nf.key -extracerts issuing.pem -newkey new.key -certout "
                "new.pem -chainout chain.pem");
}

/* What 3.0 cannot write down. */
static void
openssl_32_renew(struct bundle *b)
{
    add_command(b, "genm",
                "-cert nf.pem -key nf.key -extracerts issuing.pem -infotype caCerts -cacertsout "
                "issuing-now.pem");
    bundle_add(b, "  [ ! -s issuing-now.pem ] || mv issuing-now.pem issuing.pem\n");
    openssl_renew(b);
}

static void
openssl_revoke(struct bundle *b)
{
    add_command(b, "rr",
                "-cert nf.pem -key nf.key -extracerts issuing.pem -oldcert nf.pem -revreason 5");
}

const struct bundle_client bundle_openssl = {
    .name = "openssl",
    .what = "openssl cmp, of OpenSSL 3.0 and later",
    .file = "bundle.sh",
    .enrol = openssl_enrol,
    .renew = openssl_renew,
    .revoke = openssl_revoke,
};

const struct bundle_client bundle_openssl_32 = {
    .name = "openssl-3.2",
    .what = "openssl cmp, of OpenSSL 3.2 and later",
    .file = "bundle.sh",
    .enrol = openssl_enrol,
    .renew = openssl_32_renew,
    .revoke = openssl_revoke,
};

/* ---- gencmpclient ---- */

/* A value of an OpenSSL configuration file (config(5)), in quotes. */
static void
add_value(struct bundle *b, const char *name, const char *value)
{
    bundle_add(b, "%s = \"", name);
    for (const char *p = value; *p != '\0'; p++) {
        bundle_add(b, "%s%c", strchr("\\\"$", *p) != NULL ? "\\" : "", *p);
    }
    bundle_add(b, "\"\n");
}

static void
add_default(struct bundle *b)
{
    bundle_add(b, "[default]\nserver = %s\npath = %s\n", b->server, b->path);
    add_value(b, "recipient", b->recipient);
    bundle_add(b, "trusted = root.pem\nuntrusted = issuing.pem\n");
    if (b->tls) {
        bundle_add(b, "tls_used = 1\ntls_trusted = tls-root.pem\n");
    }
}

static void
gencmpclient_enrol(struct bundle *b)
{
    bundle_add_key(b);
    bundle_add(b, "  cat >nf.cnf <<'CNF'\n");
    add_default(b);
    bundle_add(b, "[enrol]\ncmd = ir\n");
    if (strcmp(b->proof, "mac") == 0) {
        bundle_add(b, "ref = %s\n.include secret.cnf\n", bundle_member(b->answer, "reference"));
    } else {
        bundle_add(b, "cert = %s\nkey = %s\nextracerts = %s\n", certificate_file(b), key_file(b),
                   extra_file(b));
        add_value(b, "issuer", b->recipient);
    }
    bundle_add(b, "subject = %s\nnewkey = nf.key\ncertout = nf.pem\nCNF\n", b->subject);
    if (strcmp(b->proof, "mac") == 0) {
        /* printf is the shell's own: no other process sees the secret. */
        bundle_add(b, "  trap 'rm -f secret.cnf' EXIT\n"
                      "  printf 'secret = pass:%%s\\n' \"$(cat secret.txt)\" >secret.cnf\n");
    }
    bundle_add(b, "  cmpClient -config nf.cnf -section enrol\n");
}

static void
gencmpclient_renew(struct bundle *b)
{
    add_new_key(b);
    bundle_add(b, "  cat >renew.cnf <<'CNF'\n");
    add_default(b);
    bundle_add(b, "[renew]\ncmd = kur\ncert = nf.pem\nkey = nf.key\nextracerts = issuing.pem\n"
                  "newkey = new.key\ncertout = new.pem\nCNF\n"
                  "  cmpClient -config renew.cnf -section renew\n");
}

static void
gencmpclient_revoke(struct bundle *b)
{
    bundle_add(b, "cat >revoke.cnf <<'CNF'\n");
    add_default(b);
    bundle_add(b, "[revoke]\ncmd = rr\ncert = nf.pem\nkey = nf.key\nextracerts = issuing.pem\n"
                  "oldcert = nf.pem\nrevreason = 5\nCNF\n"
                  "cmpClient -config revoke.cnf -section revoke\n");
}

const struct bundle_client bundle_gencmpclient = {
    .name = "gencmpclient",
    .what = "cmpClient of Siemens' gencmpclient",
    .file = "bundle.sh",
    .enrol = gencmpclient_enrol,
    .renew = gencmpclient_renew,
    .revoke = gencmpclient_revoke,
};
