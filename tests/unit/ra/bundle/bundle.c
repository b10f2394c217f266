/* SPDX-License-Identifier: Apache-2.0 */
#include "ra/bundle/bundle.h"

#include <openssl/conf.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>

#include "base/ossl.h"
#include "tests/support/pki.h"
#include "tests/support/test.h"

/* What the RA says of a registration. */
struct scene {
    struct pki *pki;
    X509 *ra;
    char *root; /* base64 */
    char *issuing;
    char *of_ra;
};

static char *
base64_of(X509 *x)
{
    CLEANUP(buf_free) struct buf der = BUF_INIT(64 * 1024);
    struct err e = {0};

    assert_ok(OSSL_ENCODE(X509, x, &der, &e), &e);
    return base64_dup(buf_span(&der));
}

static int
set_up(void **state)
{
    struct scene *s = mem_zalloc(1, sizeof(*s));
    EVP_PKEY *key = pki_key("P-256");

    s->pki = pki_new("P-256", "P-256");
    s->ra = pki_issue_officer(s->pki, "ra-cmp", key);
    s->root = base64_of(s->pki->root);
    s->issuing = base64_of(s->pki->issuing);
    s->of_ra = base64_of(s->ra);
    EVP_PKEY_free(key);
    *state = s;
    return 0;
}

static int
tear_down(void **state)
{
    struct scene *s = *state;

    pki_free(s->pki);
    X509_free(s->ra);
    mem_free(s->root);
    mem_free(s->issuing);
    mem_free(s->of_ra);
    mem_free(s);
    return 0;
}

static json_t *
answer_of(const struct scene *s, const char *proof, const char *url)
{
    return json_pack(
        "{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:[s], s:s, s:{s:s, s:s, s:s, s:[s], "
        "s:[{s:s, s:i}, {s:s, s:i}]}}",
        "id", "0123", "state", "open", "notAfter", "2026-12-01T00:00:00Z", "proof", proof,
        "reference", "amf-1", "root", s->root, "issuing", s->issuing, "ra", s->of_ra, "publicUrls",
        url, "tlsRoot", "TLS ROOT\n", "registration", "nfInstanceId",
        "9c5b94b1-35ad-49bb-b118-8e8fc24abf80", "country", "SE", "homeDomain", "5gc.example",
        "fqdns", "amf1.5gc.example", "profiles", "name", "nf-tls", "maxValidityDays", 30, "name",
        "nf-tls-client", "maxValidityDays", 10);
}

static void
what_the_ra_says_is_checked(void **state)
{
    const struct scene *s = *state;
    static const struct {
        const char *member; /* set to this; "": taken away; NULL: as it is */
        const char *value;
        const char *profile;
        enum err_code code; /* ERR_NONE: taken */
        const char *why;
    } rows[] = {
        {NULL, NULL, NULL, ERR_NONE, ""},
        {NULL, NULL, "nf-tls-client", ERR_NONE, ""},
        {NULL, NULL, "nf-tls-", ERR_INPUT,
         "profile nf-tls- is not registered; see `nfpki-ractl show 0123`"},
        {"registration", "", NULL, ERR_INPUT, "profile ? is not registered"},
        {"state", "cancelled", NULL, ERR_DENIED,
         "registration 0123 is cancelled: register the network function anew"},
        {"state", "expired", NULL, ERR_NONE, ""},
        {"root", "", NULL, ERR_INPUT, ""},
        {"root", "-", NULL, ERR_INPUT, ""},
        {"issuing", "aGVsbG8=", NULL, ERR_INPUT, "not an X.509 certificate"},
        {"ra", "aGVsbG8=", NULL, ERR_INPUT, "not an X.509 certificate"},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        json_t *answer = answer_of(s, "mac", "http://ra.example:1/.well-known/cmp");
        struct bundle b;
        int result;

        if (rows[i].member != NULL && rows[i].value[0] == '\0') {
            (void)json_object_del(answer, rows[i].member);
        } else if (rows[i].member != NULL) {
            (void)json_object_set_new(answer, rows[i].member, json_string(rows[i].value));
        }
        result = bundle_take(&b, answer, rows[i].profile);
        if ((result == 0) != (rows[i].code == ERR_NONE) ||
            (result != 0 && (b.e.code != rows[i].code || strstr(b.e.text, rows[i].why) == NULL))) {
            fail_msg("%s: %s", rows[i].member == NULL ? "-" : rows[i].member, b.e.text);
        }
        bundle_release(&b);
        json_decref(answer);
    }
}

static void
an_url_is_a_server_and_a_path(void **state)
{
    const struct scene *s = *state;
    static const struct {
        const char *url;
        bool taken;
        bool tls;
        const char *server;
        const char *path;
    } rows[] = {
        {"http://ra.example/.well-known/cmp", true, false, "ra.example",
         "/.well-known/cmp/p/nf-tls"},
        {"https://ra.example:8443/cmp", true, true, "ra.example:8443", "/cmp/p/nf-tls"},
        {"httpsx://ra.example", true, false, "ra.example", "/p/nf-tls"},
        {"https:ra.example", false, false, "", ""},
        {"", false, false, "", ""},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        json_t *answer = answer_of(s, "mac", rows[i].url);
        struct bundle b;

        assert_int_equal(bundle_take(&b, answer, NULL) == 0, rows[i].taken);
        if (rows[i].taken) {
            assert_int_equal(b.tls, rows[i].tls);
            assert_string_equal(b.server, rows[i].server);
            assert_string_equal(b.path, rows[i].path);
            assert_string_equal(b.recipient, "/C=SE/O=Example Operator/CN=Example Issuing");
        }
        bundle_release(&b);
        json_decref(answer);
    }
}

static void
each_client_does_the_proofs_that_it_can(void **state)
{
    const struct scene *s = *state;
    static const char *const proofs[] = {"mac", "certificate", "vendor", "publicKey"};
    static const struct {
        const char *client;
        const char *why[4]; /* NULL: it does */
    } rows[] = {
        {"openssl", {NULL, NULL, NULL, NULL}},
        {"openssl-3.2", {NULL, NULL, NULL, NULL}},
        {"gencmpclient", {NULL, NULL, NULL, NULL}},
        {"cmpracomponent", {NULL, NULL, NULL, "this client does not do proof publicKey"}},
        {"bouncycastle",
         {NULL, NULL, "this client does not do proof vendor",
          "this client does not do proof publicKey"}},
        {"cert-manager", {NULL, NULL, NULL, "cert-manager makes its keys itself"}},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        for (size_t k = 0; k < ARRAY_LEN(proofs); k++) {
            json_t *answer = answer_of(s, proofs[k], "https://ra.example/cmp");
            struct err e = {0};
            const struct bundle_client *client = bundle_client_find(rows[i].client, &e);
            struct bundle b;
            int result;

            assert_non_null(client);
            assert_ok(bundle_take(&b, answer, NULL), &b.e);
            result = bundle_render(&b, client, false);
            if ((result == 0) != (rows[i].why[k] == NULL) ||
                (result != 0 &&
                 (b.e.code != ERR_INPUT || strstr(b.e.text, rows[i].why[k]) == NULL))) {
                fail_msg("%s, %s: %s", rows[i].client, proofs[k], b.e.text);
            }
            bundle_release(&b);
            json_decref(answer);
        }
    }
}

static void
a_client_that_is_none_hears_of_the_others(void **state)
{
    struct err e = {0};

    (void)state;
    assert_null(bundle_client_find("openss", &e));
    assert_int_equal(e.code, ERR_INPUT);
    assert_string_equal(e.text, "no client \"openss\"; there are openssl, openssl-3.2, "
                                "gencmpclient, cmpracomponent, bouncycastle, cert-manager");
}

static void
a_text_has_its_limit(void **state)
{
    const struct scene *s = *state;
    static const size_t rows[] = {BUNDLE_TEXT_MAX - 1, BUNDLE_TEXT_MAX, BUNDLE_TEXT_MAX + 1};

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        json_t *answer = answer_of(s, "mac", "http://ra.example/cmp");
        CLEANUP(mem_cleanup) char *text = mem_zalloc(rows[i] + 1, 1);
        struct bundle b;

        memset(text, 'x', rows[i]);
        assert_ok(bundle_take(&b, answer, NULL), &b.e);
        bundle_add(&b, "%s", text);
        assert_int_equal(b.result == 0, rows[i] <= BUNDLE_TEXT_MAX);
        bundle_add(&b, "%s", ""); /* what was wrong stays wrong */
        assert_int_equal(b.result == 0, rows[i] <= BUNDLE_TEXT_MAX);
        bundle_release(&b);
        json_decref(answer);
    }
}

static void
a_word_is_one_word_for_the_shell(void **state)
{
    static const struct {
        const char *word;
        const char *quoted;
    } rows[] = {{"", "''"}, {"a b", "'a b'"}, {"it's", "'it'\\''s'"}, {"$x`y`", "'$x`y`'"}};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(mem_cleanup) char *quoted = bundle_quoted(rows[i].word);

        assert_string_equal(quoted, rows[i].quoted);
    }
}

static void
what_stands_in_a_bundle_is_what_was_asked_for(void **state)
{
    const struct scene *s = *state;
    static const struct {
        const char *client;
        const char *proof;
        const char *url;
        bool revocation;
        const char *has[4];
        const char *has_not[3];
    } rows[] = {
        {"openssl",
         "mac",
         "http://ra.example/cmp",
         false,
         {"put the one-time secret into secret.txt", "# reference        amf-1",
          "cat >issuing.pem <<'PEM'", "# CRL              http://pki.example/crl/issuing.crl"},
         {"tls-root.pem", "Revokes", "initial.pem is"}},
        {"openssl",
         "certificate",
         "https://ra.example/cmp",
         false,
         {"initial.pem is the registered certificate", "TLS ROOT", "tls-root.pem (of the server)",
          "# CMP URL          https://ra.example/cmp\n"},
         {"one-time secret", "vendor-chain.pem", NULL}},
        {"openssl",
         "vendor",
         "http://ra.example/cmp",
         false,
         {"vendor-chain.pem", "[ -s nf.key ] || openssl genpkey", NULL, NULL},
         {"one-time secret", NULL, NULL}},
        {"openssl",
         "publicKey",
         "http://ra.example/cmp",
         false,
         {"nf.key is the registered key", "-subj /C=SE/O=5gc.example", NULL, NULL},
         {"initial.pem is", NULL, NULL}},
        {"openssl",
         "mac",
         "http://ra.example/cmp",
         true,
         {"# Revokes nf.pem for good", "#!/bin/sh -e", NULL, NULL},
         {"Onboarding", "one-time secret", NULL}},
        {"cert-manager",
         "mac",
         "http://ra.example/cmp",
         false,
         {"duration: 720h", "renewBefore: 180h", "urn:uuid:9c5b94b1",
          "# Onboarding of network function 9c5b94b1"},
         {"#!/bin/sh", NULL, NULL}},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        json_t *answer = answer_of(s, rows[i].proof, rows[i].url);
        struct err e = {0};
        struct bundle b;
        CLEANUP(mem_cleanup) char *text = NULL;

        assert_ok(bundle_take(&b, answer, NULL), &b.e);
        assert_ok(bundle_render(&b, bundle_client_find(rows[i].client, &e), rows[i].revocation),
                  &b.e);
        text = mem_printf("%.*s", (int)b.text.n, (const char *)b.text.p);
        for (size_t k = 0; k < 4 && rows[i].has[k] != NULL; k++) {
            if (strstr(text, rows[i].has[k]) == NULL) {
                fail_msg("%s, %s has no %s:\n%s", rows[i].client, rows[i].proof, rows[i].has[k],
                         text);
            }
        }
        for (size_t k = 0; k < 3 && rows[i].has_not[k] != NULL; k++) {
            if (strstr(text, rows[i].has_not[k]) != NULL) {
                fail_msg("%s, %s has %s", rows[i].client, rows[i].proof, rows[i].has_not[k]);
            }
        }
        bundle_release(&b);
        json_decref(answer);
    }
}

/* ---- the whole of what a client is told ---- */

static char *
rendered(const struct scene *s, const char *client, const char *proof, const char *url,
         const char *profile, bool revocation)
{
    json_t *answer = answer_of(s, proof, url);
    struct err e = {0};
    struct bundle b;
    char *text;

    assert_ok(bundle_take(&b, answer, profile), &b.e);
    assert_ok(bundle_render(&b, bundle_client_find(client, &e), revocation), &b.e);
    text = mem_printf("%.*s", (int)b.text.n, (const char *)b.text.p);
    bundle_release(&b);
    json_decref(answer);
    return text;
}

/* All of `parts`, one behind the other; NULL ends them. */
static void
has_in_order(const char *text, const char *const *parts)
{
    const char *at = text;

    for (size_t i = 0; parts[i] != NULL; i++) {
        const char *found = strstr(at, parts[i]);

        if (found == NULL) {
            fail_msg("part %zu, \"%s\", is not behind those before it:\n%s", i, parts[i], text);
            return;
        }
        at = found + strlen(parts[i]);
    }
}

#define CMP_HTTP "http://ra.example/cmp"
#define CMP_HTTPS "https://ra.example/cmp"
#define JAVA_TRUST                                                                                 \
    "      TrustedCertificates: [\"root.pem\"]\n      AdditionalCerts: [\"issuing.pem\"]\n"        \
    "    OutputCredentials:\n"
#define JAVA_TLS "      ClientTrust:\n        TrustedCertificates: [\"tls-root.pem\"]\n"
#define JAVA_RECIPIENT                                                                             \
    "    Recipient: \"C=SE,O=Example Operator,CN=Example Issuing\"\nClientContext:\n"
#define JAVA_SIGNATURE                                                                             \
    "      Signature:\n        KeyStore: \"nf.p12\"\n        Password: \"$password\"\n"
#define JAVA_MAC                                                                                   \
    "      SharedSecret:\n        SharedSecret: \"$secret\"\n        SenderKID: \"amf-1\"\n"       \
    "        PasswordBasedMacAlgorithm: \"PBMAC1\"\n        IterationCount: 10000\n"               \
    "        KeyLength: 32\n"
#define JAVA_CONTEXT(type)                                                                         \
    "  - EnrollmentContext:\n      EnrollmentType: \"" type "\"\n      EnrollmentTrust:\n"         \
    "        TrustedCertificates: [\"root.pem\"]\n        AdditionalCerts: [\"issuing.pem\"]\n"    \
    "      KeyType: \"secp256r1\"\n      Subject: \"C=SE,O=5gc.example\"\n"                        \
    "      RequestImplictConfirm: false\n"
#define JAVA_BEGIN(client, url)                                                                    \
    "MessageInterface:\n  - " client ":\n      UpstreamURI: \"" url "/p/nf-tls\"\n"
#define JAVA_VERIFICATION "MessageConfiguration:\n  - VerificationContext:\n"

static void
the_steps_of_each_client_are_in_their_order(void **state)
{
    const struct scene *s = *state;
    static const struct {
        const char *client;
        const char *proof;
        const char *url;
        bool revocation;
        const char *parts[12];
        const char *no;
    } rows[] = {
        {"cmpracomponent",
         "mac",
         CMP_HTTP,
         false,
         {"secret=$(cat secret.txt)\n  cat >nf.yaml <<YAML\n" JAVA_BEGIN("HttpClient", CMP_HTTP)
              JAVA_VERIFICATION "      SharedSecret: \"$secret\"\n" JAVA_TRUST JAVA_MAC
                  JAVA_RECIPIENT JAVA_CONTEXT("IR") "YAML\n",
          "-c nf.yaml -e both.pem", "-out nf.key\n", "-out nf.pem\n", "renew)\n",
          "pkcs12 -export -in nf.pem -inkey nf.key -certfile issuing.pem ",
          "cat >renew.yaml <<YAML\n" JAVA_BEGIN("HttpClient", CMP_HTTP) JAVA_VERIFICATION JAVA_TRUST
              JAVA_SIGNATURE JAVA_RECIPIENT JAVA_CONTEXT("KUR") "      OldCert: \"nf.pem\"\nYAML\n",
          "-c renew.yaml -e both.pem", "-out new.key\n", "-out new.pem\n", NULL},
         "tls-root"},
        {"cmpracomponent",
         "certificate",
         CMP_HTTPS,
         false,
         {"pkcs12 -export -in initial.pem -inkey initial.key -certfile vendor-chain.pem ",
          "cat >nf.yaml <<YAML\n" JAVA_BEGIN("HttpsClient", CMP_HTTPS) JAVA_TLS JAVA_VERIFICATION
              JAVA_TRUST JAVA_SIGNATURE JAVA_RECIPIENT JAVA_CONTEXT("IR") "YAML\n",
          "-c nf.yaml", NULL},
         "SharedSecret"},
        {"cmpracomponent",
         "mac",
         CMP_HTTPS,
         true,
         {"# Revokes nf.pem", "-in nf.pem -inkey nf.key -certfile issuing.pem ",
          "cat >revoke.yaml <<YAML\n" JAVA_BEGIN("HttpsClient", CMP_HTTPS)
              JAVA_TLS JAVA_VERIFICATION JAVA_TRUST JAVA_SIGNATURE JAVA_RECIPIENT
          "  - RevocationContext:\n      Cert: \"nf.pem\"\nYAML\n",
          "-c revoke.yaml -r nf.pem\n", NULL},
         "SharedSecret"},
        {"bouncycastle",
         "mac",
         CMP_HTTPS,
         false,
         {"enrol)\n", "keytool -importcert", "put the one-time secret", "trustStore=tls-root.p12 ",
          "NfClient 'https://ra.example/cmp/p/nf-tls' root.pem enrol-pbmac1 'amf-1' secret.txt nf "
          "C=SE,O=5gc.example\n",
          "renew)\n", "keytool -importcert", "root.pem renew nf.pem nf.key new \n", NULL},
         "initial.pem"},
        {"bouncycastle",
         "certificate",
         CMP_HTTP,
         false,
         {"initial.pem is the registered certificate", "java -cp \"classes:$jars\" NfClient 'http:",
          "enrol initial.pem initial.key nf C=SE,O=5gc.example\n", "java -cp", NULL},
         "tls-root"},
        {"bouncycastle", "mac", CMP_HTTPS, true, {"revoke nf.pem nf.key 5 \n", NULL}, "keytool"},
        {"gencmpclient",
         "mac",
         CMP_HTTP,
         false,
         {"put the one-time secret", "genpkey",
          "  cat >nf.cnf <<'CNF'\n[default]\nserver = ra.example\npath = /cmp/p/nf-tls\n"
          "recipient = \"/C=SE/O=Example Operator/CN=Example Issuing\"\ntrusted = root.pem\n"
          "untrusted = issuing.pem\n[enrol]\ncmd = ir\nref = amf-1\n.include secret.cnf\n"
          "subject = /C=SE/O=5gc.example\nnewkey = nf.key\ncertout = nf.pem\nCNF\n",
          "printf 'secret = pass:", "-config nf.cnf -section enrol\n", "renew)\n", "-out new.key\n",
          "  cat >renew.cnf <<'CNF'\n",
          "[renew]\ncmd = kur\ncert = nf.pem\nkey = nf.key\nextracerts = issuing.pem\n"
          "newkey = new.key\ncertout = new.pem\nCNF\n  cmpClient -config renew.cnf "
          "-section renew\n",
          NULL},
         "tls_"},
        {"gencmpclient",
         "vendor",
         CMP_HTTPS,
         false,
         {"untrusted = issuing.pem\ntls_used = 1\ntls_trusted = tls-root.pem\n[enrol]\ncmd = ir\n"
          "cert = initial.pem\nkey = initial.key\nextracerts = vendor-chain.pem\n"
          "issuer = \"/C=SE/O=Example Operator/CN=Example Issuing\"\n",
          NULL},
         "secret.cnf"},
        {"gencmpclient",
         "publicKey",
         CMP_HTTP,
         true,
         {"cat >revoke.cnf <<'CNF'\n", "[revoke]\ncmd = rr\n", "oldcert = nf.pem\nrevreason = 5\n",
          "cmpClient -config revoke.cnf -section revoke\n", NULL},
         "newkey"},
        {"openssl",
         "certificate",
         CMP_HTTPS,
         false,
         {"#!/bin/sh -e\n# Onboarding", "# client           openssl cmp, of OpenSSL 3.0",
          "# registration     0123, open, until 2026-12-01T00:00:00Z\n",
          "# with the profile https://ra.example/cmp/p/nf-tls\n",
          "# profile          nf-tls, 30 days at most\n# profile          nf-tls-client, 10 days",
          "openssl cmp -cmd ir -server 'https://ra.example/cmp/p/nf-tls' -recipient "
          "'/C=SE/O=Example Operator/CN=Example Issuing' -trusted root.pem -tls_used -tls_trusted "
          "tls-root.pem -cert initial.pem -key initial.key -extracerts initial.pem -issuer "
          "'/C=SE/O=Example Operator/CN=Example Issuing' -subject /C=SE/O=5gc.example -newkey "
          "nf.key -certout nf.pem -chainout chain.pem\n",
          "renew)\n", "  openssl genpkey", "-out new.key\n", "-cmd kur", NULL},
         "genm"},
        {"openssl",
         "publicKey",
         CMP_HTTP,
         false,
         {"-trusted root.pem -cert self.pem -key nf.key -extracerts self.pem -issuer", NULL},
         "[ -s nf.key ] || "},
        {"openssl",
         "vendor",
         CMP_HTTP,
         false,
         {"[ -s nf.key ] || openssl genpkey",
          "-trusted root.pem -cert initial.pem -key initial.key -extracerts vendor-chain.pem",
          NULL},
         "tls_trusted"},
        {"openssl-3.2",
         "mac",
         CMP_HTTP,
         false,
         {"-trusted root.pem -ref 'amf-1' -secret file:secret.txt -subject", "renew)\n",
          "-cmd genm", "-cmd kur", NULL},
         "self.pem"},
        {"cert-manager",
         "mac",
         CMP_HTTP,
         false,
         {"--from-literal=reference=amf-1", "  ca.crt: |\n    -----BEGIN CERTIFICATE-----\n    M",
          "\n    -----END CERTIFICATE-----\n---\n", "url: \"http://ra.example/cmp/p/nf-tls\"\n",
          "    type: PasswordBasedMac\n", "key: ca.crt\n---\n",
          "dnsNames:\n    - \"amf1.5gc.example\"\n", NULL},
         "tls-root"},
        {"cert-manager",
         "vendor",
         CMP_HTTPS,
         false,
         {"--from-file=tls.key=initial.key --from-file=ca.crt=vendor-chain.pem\n",
          "  tls-root.crt: |\n    TLS ROOT\n---\n",
          "privateKeyKey: tls.key\n      chainKey: ca.crt\n", "transport:\n    tls:\n", NULL},
         "PasswordBasedMac"},
        {"cert-manager",
         "certificate",
         CMP_HTTPS,
         false,
         {"--from-file=tls.key=initial.key\n", "privateKeyKey: tls.key\n  cmpTrust:\n", NULL},
         "vendor-chain"},
        {"cert-manager",
         "mac",
         CMP_HTTPS,
         true,
         {"cat >issuing.pem <<'PEM'\n-----BEGIN CERTIFICATE-----\n",
          "-----END CERTIFICATE-----\nPEM", "-cmd rr", "-oldcert nf.pem -revreason 5\n", NULL},
         "Onboarding"},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(mem_cleanup)
        char *text =
            rendered(s, rows[i].client, rows[i].proof, rows[i].url, NULL, rows[i].revocation);

        has_in_order(text, rows[i].parts);
        if (strstr(text, rows[i].no) != NULL) {
            fail_msg("%s, %s has %s:\n%s", rows[i].client, rows[i].proof, rows[i].no, text);
        }
    }
}

static void
days_are_those_of_the_profile(void **state)
{
    CLEANUP(mem_cleanup)
    char *text = rendered(*state, "cert-manager", "mac", CMP_HTTP, "nf-tls-client", false);

    has_in_order(text, (const char *const[]){"/p/nf-tls-client\"", "duration: 240h",
                                             "renewBefore: 60h", NULL});
}

/* What stands in a script between quotes or in a here-document means itself. */
static void
a_shell_reads_an_url_as_it_is(void **state)
{
    static const struct {
        const char *client;
        const char *part;
    } rows[] = {
        {"cmpracomponent", "UpstreamURI: \"http://x/\\$a\\`b\\`\\\\\\\\c'd\\\\\"/p/nf-tls\"\n"},
        {"openssl", "-server 'http://x/$a`b`\\c'\\''d\"/p/nf-tls' "},
        {"cert-manager", "url: \"http://x/$a`b`\\\\c'd\\\"/p/nf-tls\"\n"},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(mem_cleanup)
        char *text = rendered(*state, rows[i].client, "mac", "http://x/$a`b`\\c'd\"", NULL, false);

        has_in_order(text, (const char *const[]){rows[i].part, NULL});
    }
}

static void
what_is_not_registered_is_not_asked_for(void **state)
{
    const struct scene *s = *state;
    json_t *answer = answer_of(s, "certificate", CMP_HTTP);
    struct err e = {0};
    struct bundle b;
    CLEANUP(mem_cleanup) char *text = NULL;

    (void)json_object_del(json_object_get(answer, "registration"), "fqdns");
    (void)json_object_del(answer, "reference");
    (void)json_object_set_new(answer, "ra", json_string(s->root)); /* which names no CRL */
    assert_ok(bundle_take(&b, answer, NULL), &b.e);
    assert_ok(bundle_render(&b, bundle_client_find("cert-manager", &e), false), &b.e);
    text = mem_printf("%.*s", (int)b.text.n, (const char *)b.text.p);
    assert_null(strstr(text, "dnsNames"));
    assert_null(strstr(text, "# reference"));
    assert_non_null(strstr(text, "\n# CRL              -\n"));
    bundle_release(&b);
    json_decref(answer);
}

static void
lines_are_set_in(void **state)
{
    static const struct {
        const char *text;
        int indent;
        const char *is;
    } rows[] = {
        {"", 2, ""},
        {"a", 2, "  a\n"},
        {"a\n", 1, " a\n"},
        {"a\nbc", 0, "a\nbc\n"},
        {"a\n\nb\n", 1, " a\n \n b\n"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct bundle b = {.text = BUF_INIT(BUNDLE_TEXT_MAX)};

        bundle_add_lines(&b, rows[i].text, rows[i].indent);
        assert_true(span_equal(buf_span(&b.text), span_str(rows[i].is)));
        bundle_release(&b);
    }
}

/* ---- names ---- */

/* A certificate of this name, with this crlDistributionPoints, as the RA says it. */
static char *
certificate_with(const struct scene *s, const char *organization, const char *points)
{
    X509 *x = X509_dup(s->ra);
    X509_NAME *name = X509_NAME_new();
    EVP_PKEY *key = pki_key("P-256");
    int at = X509_get_ext_by_NID(x, NID_crl_distribution_points, -1);
    char *base64;

    (void)X509_NAME_add_entry_by_txt(name, "O", V_ASN1_UTF8STRING, (const uint8_t *)organization,
                                     -1, -1, 0);
    (void)X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, (const uint8_t *)"x", -1, -1, 0);
    (void)X509_set_subject_name(x, name);
    assert_true(at >= 0);
    X509_EXTENSION_free(X509_delete_ext(x, at));
    if (points != NULL) {
        static const char sections[] = "[issuer]\nCRLissuer=dirName:name\n"
                                       "[relative]\nrelativename=name\n[name]\nCN=x\n";
        BIO *text = BIO_new_mem_buf(sections, -1);
        CONF *conf = NCONF_new(NULL);
        long line = 0;
        X509V3_CTX ctx;
        X509_EXTENSION *extension = NULL;

        assert_int_equal(NCONF_load_bio(conf, text, &line), 1);
        X509V3_set_ctx(&ctx, NULL, NULL, NULL, NULL, 0);
        X509V3_set_nconf(&ctx, conf);
        extension = X509V3_EXT_nconf_nid(conf, &ctx, NID_crl_distribution_points, points);
        NCONF_free(conf);
        BIO_free(text);
        assert_non_null(extension);
        (void)X509_add_ext(x, extension, -1);
        X509_EXTENSION_free(extension);
    }
    assert_true(X509_sign(x, key, EVP_sha256()) > 0);
    base64 = base64_of(x);
    X509_NAME_free(name);
    EVP_PKEY_free(key);
    X509_free(x);
    return base64;
}

static void
the_recipient_is_one_name_whatever_is_in_it(void **state)
{
    const struct scene *s = *state;
    CLEANUP(mem_cleanup) char *issuing = certificate_with(s, "a/b+c\\d=e", NULL);
    json_t *answer = answer_of(s, "mac", CMP_HTTP);
    struct bundle b;

    (void)json_object_set_new(answer, "issuing", json_string(issuing));
    assert_ok(bundle_take(&b, answer, NULL), &b.e);
    assert_string_equal(b.recipient, "/O=a\\/b\\+c\\\\d=e/CN=x");
    bundle_release(&b);
    json_decref(answer);
}

/* Half a name would be another one. */
static void
a_name_has_a_limit(void **state)
{
    const struct scene *s = *state;

    for (size_t left = 4; left <= 5; left++) { /* "/CN=x" */
        const size_t n = BUNDLE_TEXT_MAX - left - strlen("/O=");
        CLEANUP(mem_cleanup) char *organization = mem_zalloc(n + 1, 1);
        CLEANUP(mem_cleanup) char *issuing = NULL;
        json_t *answer = answer_of(s, "mac", CMP_HTTP);
        struct bundle b;

        memset(organization, '/', n / 2); /* two of its text each */
        if (n % 2 != 0) {
            organization[n / 2] = 'a';
        }
        issuing = certificate_with(s, organization, NULL);
        (void)json_object_set_new(answer, "issuing", json_string(issuing));
        if (left == 5) {
            assert_ok(bundle_take(&b, answer, NULL), &b.e);
            assert_int_equal(strlen(b.recipient), BUNDLE_TEXT_MAX);
        } else {
            assert_err(bundle_take(&b, answer, NULL), ERR_INPUT, &b.e);
        }
        bundle_release(&b);
        json_decref(answer);
    }
}

static void
a_crl_is_found_by_its_url(void **state)
{
    const struct scene *s = *state;
    static const struct {
        const char *points;
        const char *line;
    } rows[] = {
        {NULL, "\n# CRL              -\n"},
        {"DNS:crl.example", "\n# CRL              -\n"},
        {"issuer", "\n# CRL              -\n"},
        {"relative", "\n# CRL              -\n"},
        {"URI:http://crl.example/1,URI:http://crl.example/2",
         "\n# CRL              http://crl.example/1\n"},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(mem_cleanup) char *ra = certificate_with(s, "x", rows[i].points);
        json_t *answer = answer_of(s, "mac", CMP_HTTP);
        struct err e = {0};
        struct bundle b;
        CLEANUP(mem_cleanup) char *text = NULL;

        (void)json_object_set_new(answer, "ra", json_string(ra));
        assert_ok(bundle_take(&b, answer, NULL), &b.e);
        assert_ok(bundle_render(&b, bundle_client_find("openssl", &e), false), &b.e);
        text = mem_printf("%.*s", (int)b.text.n, (const char *)b.text.p);
        if (strstr(text, rows[i].line) == NULL) {
            fail_msg("row %zu:\n%.2000s", i, text);
        }
        bundle_release(&b);
        json_decref(answer);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_the_ra_says_is_checked),
        cmocka_unit_test(an_url_is_a_server_and_a_path),
        cmocka_unit_test(each_client_does_the_proofs_that_it_can),
        cmocka_unit_test(a_client_that_is_none_hears_of_the_others),
        cmocka_unit_test(a_text_has_its_limit),
        cmocka_unit_test(a_word_is_one_word_for_the_shell),
        cmocka_unit_test(what_stands_in_a_bundle_is_what_was_asked_for),
        cmocka_unit_test(the_steps_of_each_client_are_in_their_order),
        cmocka_unit_test(days_are_those_of_the_profile),
        cmocka_unit_test(a_shell_reads_an_url_as_it_is),
        cmocka_unit_test(what_is_not_registered_is_not_asked_for),
        cmocka_unit_test(lines_are_set_in),
        cmocka_unit_test(the_recipient_is_one_name_whatever_is_in_it),
        cmocka_unit_test(a_name_has_a_limit),
        cmocka_unit_test(a_crl_is_found_by_its_url),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
