/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/test.h"

#include "ceremony/run/dummy.h"

#include <string.h>

#include "tests/unit/ceremony/root.h"

static void
each_kind_of_key_can_be_thrown_away(void **state)
{
    static const enum pubkey_kind kinds[] = {PUBKEY_P256, PUBKEY_P384, PUBKEY_RSA};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        struct err e = {0};
        CLEANUP(evp_pkey_cleanup) EVP_PKEY *key = dummy_key(kinds[i], &e);
        CLEANUP(evp_pkey_cleanup) EVP_PKEY *other = dummy_key(kinds[i], &e);
        enum pubkey_kind kind = PUBKEY_P256;

        assert_non_null(key);
        assert_ok(pubkey_check(key, &kind, &e), &e);
        assert_int_equal(kind, kinds[i]);
        assert_int_not_equal(EVP_PKEY_eq(key, other), 1);
    }
}

static void
a_certificate_is_linted_as_a_whole_before_the_real_key_signs(void **state)
{
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *key = EVP_EC_gen("P-384");
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *p521 = EVP_EC_gen("P-521");
    CLEANUP(buf_free) struct buf spki = BUF_INIT(PUBKEY_SPKI_MAX);
    CLEANUP(buf_free) struct buf tbs = BUF_INIT(TBS_MAX);
    struct name subject;
    struct tbs_request request = {.profile = profile_by_name("root"), .subject = &subject};
    struct err e = {0};

    (void)state;
    assert_ok(OSSL_ENCODE(PUBKEY, key, &spki, &e), &e);
    assert_ok(name_set(&subject, "SE", "Example", "Root", &e), &e);
    assert_ok(time_parse("2026-11-23T12:00:00Z", &request.not_before, &e), &e);
    assert_ok(time_parse("2046-11-18T11:59:59Z", &request.not_after, &e), &e);
    request.serial[0] = 0x40;
    request.serial[1] = 1;
    request.spki = buf_span(&spki);
    assert_ok(tbs_build(&request, &tbs, &e), &e);
    assert_ok(dummy_lint_certificate(buf_span(&tbs), &request, key, &e), &e);
    assert_err(dummy_lint_certificate(buf_span(&tbs), &request, p521, &e), ERR_INPUT, &e);
    request.serial[1] = 2;
    assert_err(dummy_lint_certificate(buf_span(&tbs), &request, key, &e), ERR_DENIED, &e);
    assert_non_null(strstr(e.text, "lint: serial"));
    request.serial[1] = 1;
    /* of another algorithm than it names, and no certificate at all */
    {
        CLEANUP(evp_pkey_cleanup) EVP_PKEY *p256 = EVP_EC_gen("P-256");

        assert_int_not_equal(dummy_lint_certificate(buf_span(&tbs), &request, p256, &e), 0);
    }
    assert_int_not_equal(dummy_lint_certificate(SPAN_LITERAL("\x30\x00"), &request, key, &e), 0);
    assert_int_not_equal(dummy_lint_certificate(SPAN_LITERAL("x"), &request, key, &e), 0);
}

static void
a_crl_is_linted_as_a_whole_before_the_real_key_signs(void **state)
{
    CLEANUP(state_clear) struct state s = {0};
    CLEANUP(buf_free) struct buf tbs = BUF_INIT(TBS_MAX);
    struct crl_request request = {.number = 7};
    EVP_PKEY *key;
    struct err e = {0};

    (void)state;
    test_root(&s);
    key = X509_get0_pubkey(s.root);
    request.issuer = s.root;
    assert_ok(time_parse("2026-11-23T12:00:00Z", &request.this_update, &e), &e);
    assert_ok(time_parse("2027-05-23T12:00:00Z", &request.next_update, &e), &e);
    assert_ok(crl_build(&request, &tbs, &e), &e);
    assert_ok(dummy_lint_crl(buf_span(&tbs), &request, key, &e), &e);
    request.number = 8;
    assert_err(dummy_lint_crl(buf_span(&tbs), &request, key, &e), ERR_DENIED, &e);
    assert_non_null(strstr(e.text, "lint: cRLNumber"));
    request.number = 7;
    {
        /* thisUpdate is no time */
        uint8_t *time = memmem(tbs.p, tbs.n, "\x17\x0d", 2);

        assert_non_null(time);
        *time = 0x0c;
        assert_err(dummy_lint_crl(buf_span(&tbs), &request, key, &e), ERR_INPUT, &e);
        assert_int_equal(strncmp(e.text, "CRL: ", 5), 0);
    }
    {
        /* a certificate is no CRL */
        CLEANUP(buf_free) struct buf other = BUF_INIT(TBS_MAX);

        assert_ok(OSSL_ENCODE(re_X509_tbs, s.root, &other, &e), &e);
        assert_err(dummy_lint_crl(buf_span(&other), &request, key, &e), ERR_CRYPTO, &e);
        assert_non_null(strstr(e.text, "the signed part names another algorithm"));
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_kind_of_key_can_be_thrown_away),
        cmocka_unit_test(a_certificate_is_linted_as_a_whole_before_the_real_key_signs),
        cmocka_unit_test(a_crl_is_linted_as_a_whole_before_the_real_key_signs),
    };
    struct err e = {0};
    int result = ossl_init(&e) != 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);

    OPENSSL_cleanup();
    return result;
}
