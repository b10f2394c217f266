/* SPDX-License-Identifier: Apache-2.0 */
#include "base/validity.h"

#include "tests/support/pki.h"
#include "tests/support/test.h"

enum { DAY = 24 * 60 * 60, UNTIL = PKI_NOW + 30 * DAY };

static struct pki *pki;
static EVP_PKEY *key;
static X509 *certificate;

static int
make(void **state)
{
    (void)state;
    pki = pki_new("P-256", "P-256");
    key = pki_key("P-256");
    certificate = pki_issue_officer(pki, "ra-cmp", key);
    return 0;
}

static int
drop(void **state)
{
    (void)state;
    X509_free(certificate);
    EVP_PKEY_free(key);
    pki_free(pki);
    return 0;
}

static void
both_ends_are_within(void **state)
{
    static const struct {
        time_t at;
        bool has;
    } rows[] = {
        {PKI_NOW - 1, false}, {PKI_NOW, true}, {PKI_NOW + 1, true},
        {UNTIL - 1, true},    {UNTIL, true},   {UNTIL + 1, false},
    };
    time_t from = 0;
    time_t until = 0;
    struct err e = {0};

    (void)state;
    assert_ok(validity_read(certificate, &from, &until, &e), &e);
    assert_int_equal(from, PKI_NOW);
    assert_int_equal(until, UNTIL);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        assert_int_equal(validity_has(certificate, rows[i].at), rows[i].has);
        assert_int_equal(validity_is_past(X509_get0_notAfter(certificate), rows[i].at),
                         rows[i].at > UNTIL);
    }
    assert_true(validity_is_past(NULL, 0));
}

/* What OpenSSL itself says with the callback; at 0 by the clock, which is after them all. */
static int
verify_at(X509 *leaf, time_t at, int *why)
{
    CLEANUP(x509_store_cleanup) X509_STORE *store = X509_STORE_new();
    CLEANUP(x509_store_ctx_cleanup) X509_STORE_CTX *ctx = X509_STORE_CTX_new();
    STACK_OF(X509) *middle = sk_X509_new_null();
    int result;

    assert_true(sk_X509_push(middle, pki->issuing) > 0);
    assert_int_equal(X509_STORE_add_cert(store, pki->root), 1);
    assert_int_equal(X509_STORE_CTX_init(ctx, store, leaf, middle), 1);
    X509_STORE_CTX_set_time(ctx, 0, at);
    X509_STORE_CTX_set_verify_cb(ctx, validity_on_verify);
    result = X509_verify_cert(ctx);
    *why = X509_STORE_CTX_get_error(ctx);
    sk_X509_free(middle);
    return result;
}

static void
openssl_takes_the_last_second_too(void **state)
{
    static const struct {
        time_t at;
        int why;
    } rows[] = {
        {PKI_NOW - 1, X509_V_ERR_CERT_NOT_YET_VALID},
        {PKI_NOW, X509_V_OK},
        {UNTIL, X509_V_OK},
        {UNTIL + 1, X509_V_ERR_CERT_HAS_EXPIRED},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        int why = -1;
        int result = verify_at(certificate, rows[i].at, &why);

        if (why != rows[i].why || (result == 1) != (why == X509_V_OK)) {
            fail_msg("row %zu: %d, %s", i, result, X509_verify_cert_error_string(why));
        }
    }
}

/* Its issuer's and its root's last second are the same. */
static void
the_last_second_of_a_whole_path_is_good(void **state)
{
    CLEANUP(x509_cleanup) X509 *leaf = X509_dup(certificate);
    struct pki same = *pki;
    int why = -1;

    (void)state;
    same.root = X509_dup(pki->root);
    same.issuing = X509_dup(pki->issuing);
    assert_int_equal(X509_set1_notAfter(same.root, X509_get0_notAfter(certificate)), 1);
    assert_int_equal(X509_set1_notAfter(same.issuing, X509_get0_notAfter(certificate)), 1);
    assert_true(X509_sign(same.root, pki->root_key, EVP_sha256()) > 0);
    assert_true(X509_sign(same.issuing, pki->root_key, EVP_sha256()) > 0);
    {
        struct pki *before = pki;

        pki = &same;
        assert_int_equal(verify_at(leaf, UNTIL, &why), 1);
        assert_int_equal(why, X509_V_OK);
        assert_int_equal(verify_at(leaf, UNTIL + 1, &why), 0);
        pki = before;
    }
    X509_free(same.root);
    X509_free(same.issuing);
}

/* A CRL of the issuing CA from PKI_NOW to UNTIL, with the next one due then, or none named. */
static X509_CRL *
make_crl(bool has_next)
{
    X509_CRL *crl = X509_CRL_new();
    ASN1_TIME *from = ASN1_TIME_set(NULL, PKI_NOW);
    ASN1_TIME *until = ASN1_TIME_set(NULL, UNTIL - DAY);

    assert_int_equal(X509_CRL_set_version(crl, X509_CRL_VERSION_2), 1);
    assert_int_equal(X509_CRL_set_issuer_name(crl, X509_get_subject_name(pki->issuing)), 1);
    assert_int_equal(X509_CRL_set1_lastUpdate(crl, from), 1);
    assert_true(!has_next || X509_CRL_set1_nextUpdate(crl, until) == 1);
    assert_true(X509_CRL_sign(crl, pki->issuing_key, EVP_sha256()) > 0);
    ASN1_TIME_free(from);
    ASN1_TIME_free(until);
    return crl;
}

static void
the_last_second_of_a_crl_is_good(void **state)
{
    static const struct {
        time_t at;
        bool has_next;
        int why;
    } rows[] = {
        {PKI_NOW, true, X509_V_OK},          {PKI_NOW - 1, true, X509_V_ERR_CRL_NOT_YET_VALID},
        {UNTIL - DAY, true, X509_V_OK},      {UNTIL - DAY + 1, true, X509_V_ERR_CRL_HAS_EXPIRED},
        {UNTIL - DAY + 1, false, X509_V_OK},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(x509_store_cleanup) X509_STORE *store = X509_STORE_new();
        CLEANUP(x509_store_ctx_cleanup) X509_STORE_CTX *ctx = X509_STORE_CTX_new();
        CLEANUP(x509_crl_cleanup) X509_CRL *crl = make_crl(rows[i].has_next);
        STACK_OF(X509) *middle = sk_X509_new_null();
        int result;
        int why;

        assert_true(sk_X509_push(middle, pki->issuing) > 0);
        assert_int_equal(X509_STORE_add_cert(store, pki->root), 1);
        assert_int_equal(X509_STORE_add_crl(store, crl), 1);
        assert_int_equal(X509_STORE_CTX_init(ctx, store, certificate, middle), 1);
        X509_STORE_CTX_set_flags(ctx, X509_V_FLAG_CRL_CHECK);
        X509_STORE_CTX_set_time(ctx, 0, rows[i].at);
        X509_STORE_CTX_set_verify_cb(ctx, validity_on_verify);
        result = X509_verify_cert(ctx);
        why = X509_STORE_CTX_get_error(ctx);
        sk_X509_free(middle);
        if (why != rows[i].why || (result == 1) != (why == X509_V_OK)) {
            fail_msg("row %zu: %d, %s", i, result, X509_verify_cert_error_string(why));
        }
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_ends_are_within),
        cmocka_unit_test(openssl_takes_the_last_second_too),
        cmocka_unit_test(the_last_second_of_a_whole_path_is_good),
        cmocka_unit_test(the_last_second_of_a_crl_is_good),
    };

    return cmocka_run_group_tests(tests, make, drop);
}
