/* SPDX-License-Identifier: Apache-2.0 */
#include "ra/bundle.h"

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
    CLEANUP(buf_free) struct buf der = BUF_INIT(4096);
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
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
