/* SPDX-License-Identifier: Apache-2.0 */
/* openssl cmp, and gencmpclient, which has its options and reads them from a file. */
#include <string.h>

#include "base/mem.h"
#include "ra/bundle/bundle.h"

/* ---- openssl cmp ---- */

/* Signed with the certificate that is there. */
#define AS_HOLDER "-cert nf.pem -key nf.key -extracerts issuing.pem "

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
    if (bundle_is_mac(b)) {
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
openssl_renew(struct bundle *b)
{
    bundle_add_genpkey(b, "", "new.key");
    add_command(b, "kur", AS_HOLDER "-newkey new.key -certout new.pem -chainout chain.pem");
}

/* What 3.0 cannot write down. */
static void
openssl_32_renew(struct bundle *b)
{
    add_command(b, "genm", AS_HOLDER "-infotype caCerts -cacertsout issuing-now.pem");
    bundle_add(b, "  [ ! -s issuing-now.pem ] || mv issuing-now.pem issuing.pem\n");
    openssl_renew(b);
}

static void
openssl_revoke(struct bundle *b)
{
    add_command(b, "rr", AS_HOLDER "-oldcert nf.pem -revreason 5");
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

/* What gencmpclient reads its section from. */
static void
begin_file(struct bundle *b, const char *before, const char *name)
{
    bundle_add(b, "%scat >%s.cnf <<'CNF'\n", before, name);
    add_default(b);
}

/* The same of what the holder of a certificate asks. */
static void
add_as_holder(struct bundle *b, const char *before, const char *name, const char *command,
              const char *options)
{
    begin_file(b, before, name);
    bundle_add(b,
               "[%s]\ncmd = %s\ncert = nf.pem\nkey = nf.key\nextracerts = issuing.pem\n%sCNF\n"
               "%scmpClient -config %s.cnf -section %s\n",
               name, command, options, before, name, name);
}

static void
gencmpclient_enrol(struct bundle *b)
{
    bundle_add_key(b);
    begin_file(b, "  ", "nf");
    bundle_add(b, "[enrol]\ncmd = ir\n");
    if (bundle_is_mac(b)) {
        bundle_add(b, "ref = %s\n.include secret.cnf\n", bundle_member(b->answer, "reference"));
    } else {
        bundle_add(b, "cert = %s\nkey = %s\nextracerts = %s\n", certificate_file(b), key_file(b),
                   extra_file(b));
        add_value(b, "issuer", b->recipient);
    }
    bundle_add(b, "subject = %s\nnewkey = nf.key\ncertout = nf.pem\nCNF\n", b->subject);
    if (bundle_is_mac(b)) {
        /* printf is the shell's own: no other process sees the secret. */
        bundle_add(b, "  trap 'rm -f secret.cnf' EXIT\n"
                      "  printf 'secret = pass:%%s\\n' \"$(cat secret.txt)\" >secret.cnf\n");
    }
    bundle_add(b, "  cmpClient -config nf.cnf -section enrol\n");
}

static void
gencmpclient_renew(struct bundle *b)
{
    bundle_add_genpkey(b, "", "new.key");
    add_as_holder(b, "  ", "renew", "kur", "newkey = new.key\ncertout = new.pem\n");
}

static void
gencmpclient_revoke(struct bundle *b)
{
    add_as_holder(b, "", "revoke", "rr", "oldcert = nf.pem\nrevreason = 5\n");
}

const struct bundle_client bundle_gencmpclient = {
    .name = "gencmpclient",
    .what = "cmpClient of Siemens' gencmpclient",
    .file = "bundle.sh",
    .enrol = gencmpclient_enrol,
    .renew = gencmpclient_renew,
    .revoke = gencmpclient_revoke,
};
