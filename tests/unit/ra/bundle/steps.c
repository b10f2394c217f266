/* SPDX-License-Identifier: Apache-2.0 */
/* The whole of what a client is told. */
#include "ra/bundle/bundle.h"

#include <string.h>

#include "tests/support/test.h"
#include "tests/unit/ra/bundle/scene.h"

static char *
rendered(const struct scene *s, const char *client, const char *proof, const char *url,
         const char *profile, bool revocation)
{
    json_t *answer = scene_answer(s, proof, url);
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

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_steps_of_each_client_are_in_their_order),
        cmocka_unit_test(days_are_those_of_the_profile),
        cmocka_unit_test(a_shell_reads_an_url_as_it_is),
    };

    return cmocka_run_group_tests(tests, scene_set_up, scene_tear_down);
}
