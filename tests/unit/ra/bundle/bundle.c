/* SPDX-License-Identifier: Apache-2.0 */
/* What a bundle is made of: what the RA says, what was asked for, names and their limits. */
#include "ra/bundle/bundle.h"

#include <openssl/conf.h>
#include <openssl/x509v3.h>
#include <string.h>

#include "tests/support/pki.h"
#include "tests/support/test.h"
#include "tests/unit/ra/bundle/scene.h"

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
        json_t *answer = scene_answer(s, "mac", "http://ra.example:1/.well-known/cmp");
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
        json_t *answer = scene_answer(s, "mac", rows[i].url);
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
            json_t *answer = scene_answer(s, proofs[k], "https://ra.example/cmp");
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
        json_t *answer = scene_answer(s, "mac", "http://ra.example/cmp");
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
        json_t *answer = scene_answer(s, rows[i].proof, rows[i].url);
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

static void
what_is_not_registered_is_not_asked_for(void **state)
{
    const struct scene *s = *state;
    json_t *answer = scene_answer(s, "certificate", CMP_HTTP);
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
    base64 = scene_base64(x);
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
    json_t *answer = scene_answer(s, "mac", CMP_HTTP);
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
        json_t *answer = scene_answer(s, "mac", CMP_HTTP);
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
        json_t *answer = scene_answer(s, "mac", CMP_HTTP);
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
        cmocka_unit_test(what_is_not_registered_is_not_asked_for),
        cmocka_unit_test(lines_are_set_in),
        cmocka_unit_test(the_recipient_is_one_name_whatever_is_in_it),
        cmocka_unit_test(a_name_has_a_limit),
        cmocka_unit_test(a_crl_is_found_by_its_url),
    };

    return cmocka_run_group_tests(tests, scene_set_up, scene_tear_down);
}
