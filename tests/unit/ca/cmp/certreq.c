/* SPDX-License-Identifier: Apache-2.0 */
/* What is read of a request, and whether it proves possession of its key. */
#include "ca/cmp/certreq.h"

#include "ca/cmp/message/der.h"
#include "tests/support/der_edit.h"
#include "tests/unit/ca/cmp/fixture.h"

static void
requests_of_openssl_are_read_and_prove_possession(void **state)
{
    static const struct {
        const char *file;
        int id;
        int kind;
    } files[] = {{"pbm-ir.der", 0, EVP_PKEY_EC},    {"pbm512-ir.der", 0, EVP_PKEY_EC},
                 {"sig-ir.der", 0, EVP_PKEY_EC},    {"sig-cr.der", 0, EVP_PKEY_EC},
                 {"sig-kur.der", 0, EVP_PKEY_EC},   {"rsa-ir.der", 0, EVP_PKEY_RSA},
                 {"mock-ir.der", 0, EVP_PKEY_EC},   {"unprotected-ir.der", 0, EVP_PKEY_EC},
                 {"pbm-p10cr.der", -1, EVP_PKEY_EC}};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(files); i++) {
        CLEANUP(cmp_msg_cleanup) struct cmp_msg *msg = vector_msg(files[i].file);
        CLEANUP(x509_name_cleanup) X509_NAME *expected = name_of("x");
        CLEANUP(cmp_certreq_cleanup) struct cmp_certreq *r = NULL;
        CLEANUP(evp_pkey_cleanup) EVP_PKEY *again = NULL;
        enum cmp_failure failure = CMP_SYSTEM_FAILURE;
        struct err e = {0};
        const unsigned char *p;

        r = cmp_certreq_read(msg, &failure, &e);
        if (r == NULL) {
            fail_msg("%s: %s %s", files[i].file, cmp_failure_name(failure), e.text);
        }
        assert_int_equal(failure, CMP_NO_FAILURE);
        assert_ok(cmp_certreq_check_pop(r, &failure, &e), &e);
        assert_int_equal(cmp_certreq_id(r), files[i].id);
        assert_int_equal(EVP_PKEY_get_base_id(cmp_certreq_key(r)), files[i].kind);
        p = cmp_certreq_spki(r).p;
        again = d2i_PUBKEY(NULL, &p, (long)cmp_certreq_spki(r).n);
        assert_int_equal(EVP_PKEY_eq(again, cmp_certreq_key(r)), 1);
        if (cmp_msg_body(msg) != CMP_KUR) {
            assert_int_equal(X509_NAME_cmp(cmp_certreq_subject(r), expected), 0);
        }
    }
}

static void
old_cert_id_of_a_kur_is_found(void **state)
{
    CLEANUP(cmp_msg_cleanup) struct cmp_msg *kur = vector_msg("sig-kur.der");
    CLEANUP(cmp_msg_cleanup) struct cmp_msg *ir = vector_msg("sig-ir.der");
    CLEANUP(x509_cleanup) X509 *certificate = vector_cert("dev.crt");
    CLEANUP(cmp_certreq_cleanup) struct cmp_certreq *r = NULL;
    CLEANUP(cmp_certreq_cleanup) struct cmp_certreq *none = NULL;
    const X509_NAME *issuer;
    const ASN1_INTEGER *serial;
    enum cmp_failure failure;
    struct err e = {0};

    (void)state;
    r = cmp_certreq_read(kur, &failure, &e);
    none = cmp_certreq_read(ir, &failure, &e);
    assert_non_null(r);
    assert_non_null(none);
    assert_false(cmp_certreq_old_cert(none, &issuer, &serial));
    assert_true(cmp_certreq_old_cert(r, &issuer, &serial));
    assert_int_equal(X509_NAME_cmp(issuer, X509_get_issuer_name(certificate)), 0);
    assert_int_equal(ASN1_INTEGER_cmp(serial, X509_get0_serialNumber(certificate)), 0);
}

static void
a_missing_proof_is_bad_pop_and_raverified_not_authorized(void **state)
{
    static const struct {
        const char *file;
        enum cmp_failure failure;
    } rows[] = {{"pbm-nopop.der", CMP_BAD_POP}, {"pbm-raverified.der", CMP_NOT_AUTHORIZED}};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(cmp_msg_cleanup) struct cmp_msg *msg = vector_msg(rows[i].file);
        enum cmp_failure failure = CMP_NO_FAILURE;
        struct err e = {0};

        assert_null(cmp_certreq_read(msg, &failure, &e));
        assert_int_equal(failure, rows[i].failure);
    }
}

static void
bodies_that_are_no_requests_are_bad_data(void **state)
{
    static const enum cmp_body bodies[] = {CMP_IR, CMP_CR, CMP_KUR, CMP_P10CR};
    struct world *w = *state;

    for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
        const uint8_t body[] = {(uint8_t)(0xa0U | bodies[i]), 4, 0x30, 2, 5, 0};
        CLEANUP(cmp_msg_cleanup) struct cmp_msg *msg = NULL;
        enum cmp_failure failure = CMP_NO_FAILURE;
        struct cmp_header h;
        struct err e = {0};

        assert_ok(cmp_header_first(&h, &e), &e);
        msg = sealed(&w->mac, &h, span_of(body, sizeof(body)));
        assert_null(cmp_certreq_read(msg, &failure, &e));
        assert_int_equal(failure, CMP_BAD_DATA_FORMAT);
    }
}

static void
a_pkcs10_with_a_flipped_signature_is_bad_pop(void **state)
{
    struct world *w = *state;
    CLEANUP(cmp_msg_cleanup) struct cmp_msg *good = vector_msg("pbm-p10cr.der");
    CLEANUP(buf_free) struct buf body = BUF_INIT(CMP_MESSAGE_MAX);
    CLEANUP(cmp_msg_cleanup) struct cmp_msg *msg = NULL;
    CLEANUP(cmp_certreq_cleanup) struct cmp_certreq *r = NULL;
    enum cmp_failure failure;
    struct cmp_header h;
    struct err e = {0};

    assert_ok(der_append(&body, DER_CONTEXT | CMP_P10CR, cmp_msg_content(good), &e), &e);
    body.p[body.n - 1] ^= 1;
    assert_ok(cmp_header_first(&h, &e), &e);
    msg = sealed(&w->mac, &h, buf_span(&body));
    r = cmp_certreq_read(msg, &failure, &e);
    assert_non_null(r);
    assert_int_equal(cmp_certreq_check_pop(r, &failure, &e), -1);
    assert_int_equal(failure, CMP_BAD_POP);
}

/* RFC 9481: no proof of possession by SHA-1, which OpenSSL would verify. */
static void
a_pkcs10_that_is_signed_with_sha1_is_bad_alg(void **state)
{
    struct world *w = *state;
    CLEANUP(cmp_msg_cleanup) struct cmp_msg *good = vector_msg("pbm-p10cr.der");
    const uint8_t *at = cmp_msg_content(good).p;
    CLEANUP(x509_req_cleanup)
    X509_REQ *request = d2i_X509_REQ(NULL, &at, (long)cmp_msg_content(good).n);

    assert_non_null(request);
    assert_int_equal(X509_REQ_set_pubkey(request, w->key), 1);
    for (size_t i = 0; i < 2; i++) {
        CLEANUP(buf_free) struct buf body = BUF_INIT(CMP_MESSAGE_MAX);
        CLEANUP(cmp_msg_cleanup) struct cmp_msg *msg = NULL;
        CLEANUP(cmp_certreq_cleanup) struct cmp_certreq *r = NULL;
        enum cmp_failure failure = CMP_SYSTEM_FAILURE;
        struct cmp_header h;
        struct err e = {0};
        uint8_t *der = NULL;
        int n;

        assert_true(X509_REQ_sign(request, w->key, i == 0 ? EVP_sha256() : EVP_sha1()) > 0);
        n = i2d_X509_REQ(request, &der);
        assert_true(n > 0);
        assert_ok(der_append(&body, DER_CONTEXT | CMP_P10CR, span_of(der, (size_t)n), &e), &e);
        OPENSSL_free(der);
        assert_ok(cmp_header_first(&h, &e), &e);
        msg = sealed(&w->mac, &h, buf_span(&body));
        r = cmp_certreq_read(msg, &failure, &e);
        assert_non_null(r);
        assert_int_equal(cmp_certreq_check_pop(r, &failure, &e), i == 0 ? 0 : -1);
        assert_int_equal(failure, i == 0 ? CMP_NO_FAILURE : CMP_BAD_ALG);
    }
}

/* RFC 2986 4.1: the version is 0. It stands first in CertificationRequestInfo. */
static void
a_pkcs10_of_another_version_is_none(void **state)
{
    static const char *const versions[] = {"020100", "020101", "0201ff", "020500ffffffff"};
    struct world *w = *state;
    CLEANUP(cmp_msg_cleanup) struct cmp_msg *good = vector_msg("pbm-p10cr.der");

    for (size_t i = 0; i < ARRAY_LEN(versions); i++) {
        CLEANUP(buf_free) struct buf request = BUF_INIT(CMP_MESSAGE_MAX);
        CLEANUP(buf_free) struct buf body = BUF_INIT(CMP_MESSAGE_MAX);
        CLEANUP(cmp_msg_cleanup) struct cmp_msg *msg = NULL;
        CLEANUP(cmp_certreq_cleanup) struct cmp_certreq *r = NULL;
        enum cmp_failure failure = CMP_SYSTEM_FAILURE;
        uint8_t version[8];
        struct cmp_header h;
        struct err e = {0};

        assert_ok(hex_parse(versions[i], version, strlen(versions[i]) / 2, &e), &e);
        assert_ok(der_edit(cmp_msg_content(good), "0.0", span_of(version, strlen(versions[i]) / 2),
                           &request, &e),
                  &e);
        assert_ok(der_append(&body, DER_CONTEXT | CMP_P10CR, buf_span(&request), &e), &e);
        assert_ok(cmp_header_first(&h, &e), &e);
        msg = sealed(&w->mac, &h, buf_span(&body));
        r = cmp_certreq_read(msg, &failure, &e);
        assert_int_equal(r != NULL, i == 0);
        assert_int_equal(failure, i == 0 ? CMP_NO_FAILURE : CMP_BAD_DATA_FORMAT);
    }
}

static void
the_number_of_a_request_is_seen_without_the_rest(void **state)
{
    static const int64_t ids[] = {0, 1, 127, 128, 65535, INT32_MAX, (int64_t)INT32_MAX + 1, -1};
    struct world *w = *state;

    for (size_t i = 0; i < ARRAY_LEN(ids); i++) {
        const bool fits = ids[i] >= 0 && ids[i] <= INT32_MAX;
        const struct cmp_client_wish wish = {.subject = w->subject,
                                             .cert_req_id = fits ? (int)ids[i] : -1};
        CLEANUP(buf_free) struct buf body = BUF_INIT(CMP_MESSAGE_MAX);
        CLEANUP(cmp_msg_cleanup) struct cmp_msg *msg = NULL;
        CLEANUP(cmp_certreq_cleanup) struct cmp_certreq *r = NULL;
        enum cmp_failure failure;
        struct cmp_header h;
        struct err e = {0};

        assert_ok(cmp_client_body_wish(CMP_IR, w->key, &wish, &body, &e), &e);
        assert_ok(cmp_header_first(&h, &e), &e);
        msg = sealed(&w->mac, &h, buf_span(&body));
        assert_int_equal(cmp_certreq_peek_id(msg), fits ? ids[i] : 0);
        r = cmp_certreq_read(msg, &failure, &e);
        assert_int_equal(r != NULL, fits);
        if (r != NULL) {
            assert_int_equal(cmp_certreq_id(r), ids[i]);
            assert_ok(cmp_certreq_check_pop(r, &failure, &e), &e);
        }
    }
}

/* RFC 9483 4.1.3 */
static void
a_kur_says_whom_it_is_for(void **state)
{
    struct world *w = *state;
    const struct {
        const X509_NAME *subject;
        enum cmp_failure failure;
    } rows[] = {{w->subject, CMP_NO_FAILURE}, {NULL, CMP_BAD_CERT_TEMPLATE}};

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(buf_free) struct buf der = BUF_INIT(CMP_MESSAGE_MAX);
        CLEANUP(cmp_msg_cleanup) struct cmp_msg *msg = NULL;
        CLEANUP(cmp_certreq_cleanup) struct cmp_certreq *r = NULL;
        enum cmp_failure failure = CMP_SYSTEM_FAILURE;
        struct cmp_client_state s;
        struct err e = {0};

        assert_ok(cmp_client_request(&w->signature, CMP_KUR, w->key, rows[i].subject, &s, &der, &e),
                  &e);
        msg = parse_ok(buf_span(&der));
        r = cmp_certreq_read(msg, &failure, &e);
        assert_int_equal(failure, rows[i].failure);
        assert_int_equal(r != NULL, failure == CMP_NO_FAILURE);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requests_of_openssl_are_read_and_prove_possession),
        cmocka_unit_test(old_cert_id_of_a_kur_is_found),
        cmocka_unit_test(a_missing_proof_is_bad_pop_and_raverified_not_authorized),
        cmocka_unit_test(bodies_that_are_no_requests_are_bad_data),
        cmocka_unit_test(a_pkcs10_that_is_signed_with_sha1_is_bad_alg),
        cmocka_unit_test(a_pkcs10_with_a_flipped_signature_is_bad_pop),
        cmocka_unit_test(a_pkcs10_of_another_version_is_none),
        cmocka_unit_test(the_number_of_a_request_is_seen_without_the_rest),
        cmocka_unit_test(a_kur_says_whom_it_is_for),
    };

    return cmocka_run_group_tests(tests, world_setup, world_teardown);
}
