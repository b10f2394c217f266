/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/cmp/message/revoke.h"

#include "ca/cmp/message/asn1.h"
#include "ca/cmp/message/der.h"
#include "tests/support/der_edit.h"
#include "tests/unit/ca/cmp/fixture.h"

/* An rr with this body; its protection is not looked at. */
static struct cmp_msg *
message(struct span body)
{
    static const char secret[] = "secret";
    CLEANUP(buf_free) struct buf algorithm = BUF_INIT(256);
    CLEANUP(buf_free) struct buf recipient = {0};
    CLEANUP(buf_free) struct buf der = BUF_INIT(CMP_MESSAGE_MAX);
    CLEANUP(x509_name_cleanup) X509_NAME *name = NULL;
    struct cmp_client client = {.reference = "reference", .secret = span_str(secret)};
    struct cmp_header header;
    struct cmp_msg *msg;
    struct err e = {0};

    assert_ok(cmp_client_pbm(NID_sha256, 500, NID_hmacWithSHA256, &algorithm, &e), &e);
    client.algorithm = buf_span(&algorithm);
    assert_ok(cmp_header_first(&header, &e), &e);
    assert_ok(cmp_client_header(&client, &header, &name, &recipient, &e), &e);
    assert_ok(cmp_client_seal(&client, &header, body, &der, &e), &e);
    msg = cmp_msg_parse(buf_span(&der), CMP_MESSAGE_MAX, &e);
    assert_non_null(msg);
    return msg;
}

static void
expect(struct span body, const X509_NAME *issuer, enum cmp_failure expected)
{
    CLEANUP(cmp_msg_cleanup) struct cmp_msg *msg = message(body);
    enum cmp_failure failure = CMP_SYSTEM_FAILURE;
    struct cmp_revreq r;
    struct err e = {0};
    int result = cmp_revreq_read(msg, issuer, &r, &failure, &e);

    if (failure != expected || (result == 0) != (expected == CMP_NO_FAILURE)) {
        fail_msg("%s where %s belongs: %s", cmp_failure_name(failure), cmp_failure_name(expected),
                 e.text);
    }
}

static void
a_reason_is_of_an_end_entity_and_lasts(void **state)
{
    static const enum cmp_failure of[] = {
        [0] = CMP_NO_FAILURE,       [1] = CMP_NO_FAILURE,      [2] = CMP_NO_FAILURE,
        [3] = CMP_NO_FAILURE,       [4] = CMP_NO_FAILURE,      [5] = CMP_NO_FAILURE,
        [6] = CMP_BAD_REQUEST,      [7] = CMP_BAD_DATA_FORMAT, [8] = CMP_BAD_REQUEST,
        [9] = CMP_NO_FAILURE,       [10] = CMP_NO_FAILURE,     [11] = CMP_BAD_DATA_FORMAT,
        [12] = CMP_BAD_DATA_FORMAT,
    };
    CLEANUP(x509_name_cleanup) X509_NAME *issuer = name_of("issuing");
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *key = EVP_EC_gen("P-256");
    CLEANUP(x509_cleanup) X509 *certificate = certificate_of(key, "nf");

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(of); i++) {
        CLEANUP(buf_free) struct buf body = BUF_INIT(4096);
        struct err e = {0};

        print_message("reason %zu\n", i);
        assert_ok(
            cmp_client_body_rr(issuer, X509_get0_serialNumber(certificate), (int)i, &body, &e), &e);
        expect(buf_span(&body), issuer, of[i]);
    }
}

static void
a_compromise_is_one_under_any_name(void **state)
{
    static const int names[] = {CRL_REASON_KEY_COMPROMISE, CRL_REASON_CA_COMPROMISE,
                                CRL_REASON_AA_COMPROMISE};
    CLEANUP(x509_name_cleanup) X509_NAME *issuer = name_of("issuing");
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *key = EVP_EC_gen("P-256");
    CLEANUP(x509_cleanup) X509 *certificate = certificate_of(key, "nf");

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        CLEANUP(buf_free) struct buf body = BUF_INIT(4096);
        enum cmp_failure failure = CMP_NO_FAILURE;
        struct cmp_msg *msg;
        struct cmp_revreq r;
        struct err e = {0};

        assert_ok(
            cmp_client_body_rr(issuer, X509_get0_serialNumber(certificate), names[i], &body, &e),
            &e);
        msg = message(buf_span(&body));
        assert_ok(cmp_revreq_read(msg, issuer, &r, &failure, &e), &e);
        cmp_msg_free(msg);
        assert_int_equal(r.reason, CRL_REASON_KEY_COMPROMISE);
    }
}

static void
what_is_missing_or_of_another_issuer_is_said(void **state)
{
    CLEANUP(x509_name_cleanup) X509_NAME *issuer = name_of("issuing");
    CLEANUP(x509_name_cleanup) X509_NAME *other = name_of("other");
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *key = EVP_EC_gen("P-256");
    CLEANUP(x509_cleanup) X509 *certificate = certificate_of(key, "nf");
    const ASN1_INTEGER *serial = X509_get0_serialNumber(certificate);
    const struct {
        const X509_NAME *issuer;
        const ASN1_INTEGER *serial;
        int reason;
        enum cmp_failure failure;
    } rows[] = {
        {issuer, serial, 1, CMP_NO_FAILURE},
        {NULL, serial, 1, CMP_ADD_INFO_NOT_AVAILABLE},
        {issuer, NULL, 1, CMP_ADD_INFO_NOT_AVAILABLE},
        {issuer, serial, -1, CMP_ADD_INFO_NOT_AVAILABLE},
        {other, serial, 1, CMP_BAD_CERT_ID},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(buf_free) struct buf body = BUF_INIT(4096);
        struct err e = {0};

        print_message("row %zu\n", i);
        assert_ok(cmp_client_body_rr(rows[i].issuer, rows[i].serial, rows[i].reason, &body, &e),
                  &e);
        expect(buf_span(&body), issuer, rows[i].failure);
    }
}

/* RevDetails once, twice; with its entry extensions as given. */
static void
encode(const X509_NAME *issuer, const ASN1_INTEGER *serial, STACK_OF(X509_EXTENSION) * entry,
       int times, struct buf *body)
{
    CMP_REV_DETAILS *details = CMP_REV_DETAILS_new();
    CLEANUP(buf_free) struct buf all = BUF_INIT(4096);
    CLEANUP(buf_free) struct buf sequence = BUF_INIT(4096);
    unsigned char *der = NULL;
    struct err e = {0};
    int n;

    details->certificate->issuer = X509_NAME_dup(issuer);
    details->certificate->serial = ASN1_INTEGER_dup(serial);
    details->entry = entry;
    n = i2d_CMP_REV_DETAILS(details, &der);
    assert_true(n > 0);
    for (int i = 0; i < times; i++) {
        assert_ok(buf_append(&all, span_of(der, (size_t)n), &e), &e);
    }
    OPENSSL_free(der);
    CMP_REV_DETAILS_free(details);
    assert_ok(der_append(&sequence, DER_SEQUENCE, buf_span(&all), &e), &e);
    assert_ok(der_append(body, DER_CONTEXT | CMP_RR, buf_span(&sequence), &e), &e);
}

static STACK_OF(X509_EXTENSION) * entries(int reasons, const char *date, bool unknown)
{
    STACK_OF(X509_EXTENSION) *list = sk_X509_EXTENSION_new_null();
    ASN1_ENUMERATED *code = ASN1_ENUMERATED_new();

    assert_int_equal(ASN1_ENUMERATED_set(code, 1), 1);
    for (int i = 0; i < reasons; i++) {
        assert_true(sk_X509_EXTENSION_push(list, X509V3_EXT_i2d(NID_crl_reason, 0, code)) > 0);
    }
    ASN1_ENUMERATED_free(code);
    if (date != NULL) {
        ASN1_GENERALIZEDTIME *t = ASN1_GENERALIZEDTIME_new();

        assert_int_equal(ASN1_STRING_set(t, date, -1), 1);
        assert_true(sk_X509_EXTENSION_push(list, X509V3_EXT_i2d(NID_invalidity_date, 0, t)) > 0);
        ASN1_GENERALIZEDTIME_free(t);
    }
    if (unknown) {
        ASN1_NULL *null = ASN1_NULL_new();
        X509_EXTENSION *x = X509V3_EXT_i2d(NID_id_pkix_OCSP_noCheck, 1, null);

        assert_true(sk_X509_EXTENSION_push(list, x) > 0);
        ASN1_NULL_free(null);
    }
    return list;
}

static void
entry_extensions_are_read_exactly(void **state)
{
    static const struct {
        int reasons;
        const char *date;
        bool unknown;
        int times;
        enum cmp_failure failure;
    } rows[] = {
        {1, "20261125180000Z", false, 1, CMP_NO_FAILURE},
        {1, "202611251800Z", false, 1, CMP_BAD_DATA_FORMAT},
        {2, NULL, false, 1, CMP_BAD_DATA_FORMAT},
        {1, NULL, true, 1, CMP_UNACCEPTED_EXTENSION},
        {1, NULL, false, 2, CMP_BAD_REQUEST},
    };
    CLEANUP(x509_name_cleanup) X509_NAME *issuer = name_of("issuing");
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *key = EVP_EC_gen("P-256");
    CLEANUP(x509_cleanup) X509 *certificate = certificate_of(key, "nf");

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(buf_free) struct buf body = BUF_INIT(4096);

        print_message("row %zu\n", i);
        encode(issuer, X509_get0_serialNumber(certificate),
               entries(rows[i].reasons, rows[i].date, rows[i].unknown), rows[i].times, &body);
        expect(buf_span(&body), issuer, rows[i].failure);
    }
}

static void
what_was_read_is_what_was_asked(void **state)
{
    CLEANUP(x509_name_cleanup) X509_NAME *issuer = name_of("issuing");
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *key = EVP_EC_gen("P-256");
    CLEANUP(x509_cleanup) X509 *certificate = certificate_of(key, "nf");
    CLEANUP(buf_free) struct buf body = BUF_INIT(4096);
    CLEANUP(cmp_msg_cleanup) struct cmp_msg *msg = NULL;
    const ASN1_INTEGER *serial = X509_get0_serialNumber(certificate);
    enum cmp_failure failure;
    struct cmp_revreq r;
    struct err e = {0};

    (void)state;
    encode(issuer, serial, entries(1, "20261125180000Z", false), 1, &body);
    msg = message(buf_span(&body));
    assert_ok(cmp_revreq_read(msg, issuer, &r, &failure, &e), &e);
    assert_true(
        span_equal(span_of(r.serial, r.serial_size),
                   span_of(ASN1_STRING_get0_data(serial), (size_t)ASN1_STRING_length(serial))));
    assert_int_equal(r.reason, 1);
    assert_true(r.has_invalidity);
    assert_int_equal(r.invalidity_date, 1795629600);
}

/* The issuer's RDNs from the end, as some clients write them; and a key that is the certificate's.
 */
static void
a_certificate_is_named_by_issuer_serial_and_perhaps_key(void **state)
{
    CLEANUP(x509_name_cleanup) X509_NAME *issuer = name_of("issuing");
    CLEANUP(x509_name_cleanup) X509_NAME *reversed = X509_NAME_new();
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *key = EVP_EC_gen("P-256");
    CLEANUP(x509_cleanup) X509 *certificate = certificate_of(key, "nf");
    const uint8_t other[SHA256_SIZE] = {0};

    (void)state;
    assert_int_equal(X509_NAME_add_entry_by_txt(issuer, "O", MBSTRING_UTF8,
                                                (const unsigned char *)"Op", -1, -1, 0),
                     1);
    for (int i = X509_NAME_entry_count(issuer) - 1; i >= 0; i--) {
        assert_int_equal(X509_NAME_add_entry(reversed, X509_NAME_get_entry(issuer, i), -1, 0), 1);
    }
    for (int named = 0; named < 2; named++) {
        CLEANUP(buf_free) struct buf body = BUF_INIT(4096);
        CLEANUP(buf_free) struct buf spki = BUF_INIT(4096);
        CLEANUP(buf_free) struct buf with = BUF_INIT(4096);
        CLEANUP(buf_free) struct buf changed = BUF_INIT(4096);
        CLEANUP(cmp_msg_cleanup) struct cmp_msg *msg = NULL;
        enum cmp_failure failure = CMP_SYSTEM_FAILURE;
        uint8_t own[SHA256_SIZE];
        struct cmp_revreq r;
        struct err e = {0};
        struct der inside;

        assert_ok(cmp_client_body_rr(reversed, X509_get0_serialNumber(certificate), 1, &body, &e),
                  &e);
        assert_ok(OSSL_ENCODE(X509_PUBKEY, X509_get_X509_PUBKEY(certificate), &spki, &e), &e);
        assert_ok(sha256(buf_span(&spki), own, &e), &e);
        if (named == 1) { /* [6] publicKey, after [1] serialNumber and [3] issuer */
            struct span was = der_at(buf_span(&body), "0.0.0.1");

            assert_true(der_only(buf_span(&spki), DER_SEQUENCE, &inside));
            assert_ok(buf_append(&with, was, &e), &e);
            assert_ok(der_append(&with, DER_CONTEXT | 6, inside.content, &e), &e);
            assert_ok(der_edit(buf_span(&body), "0.0.0.1", buf_span(&with), &changed, &e), &e);
            buf_move(&body, &changed);
        }
        msg = message(buf_span(&body));
        assert_ok(cmp_revreq_read(msg, issuer, &r, &failure, &e), &e);
        assert_int_equal(r.has_key, named == 1);
        assert_ok(cmp_revreq_check_key(&r, own, &failure, &e), &e);
        assert_int_equal(cmp_revreq_check_key(&r, other, &failure, &e), named == 1 ? -1 : 0);
        assert_int_equal(failure, named == 1 ? CMP_BAD_CERT_ID : CMP_NO_FAILURE);
    }
}

static void
a_serial_number_may_be_one_of_ours(void **state)
{
    static const struct {
        const char *hex;
        bool negative;
        enum cmp_failure failure;
    } rows[] = {
        {"00", false, CMP_NO_FAILURE},
        {"01", false, CMP_NO_FAILURE},
        {"01", true, CMP_BAD_CERT_ID},
        {"7f0102030405060708090a0b0c0d0e0f10111213", false, CMP_NO_FAILURE},
        {"7f0102030405060708090a0b0c0d0e0f1011121314", false, CMP_BAD_CERT_ID},
    };
    CLEANUP(x509_name_cleanup) X509_NAME *issuer = name_of("issuing");

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(asn1_integer_cleanup) ASN1_INTEGER *serial = ASN1_INTEGER_new();
        CLEANUP(buf_free) struct buf body = BUF_INIT(4096);
        uint8_t octets[32];
        struct err e = {0};

        print_message("row %zu\n", i);
        assert_ok(hex_parse(rows[i].hex, octets, strlen(rows[i].hex) / 2, &e), &e);
        assert_int_equal(ASN1_STRING_set(serial, octets, (int)strlen(rows[i].hex) / 2), 1);
        serial->type = rows[i].negative ? V_ASN1_NEG_INTEGER : V_ASN1_INTEGER;
        assert_ok(cmp_client_body_rr(issuer, serial, 1, &body, &e), &e);
        expect(buf_span(&body), issuer, rows[i].failure);
        /* whoever has no issuer to compare with takes any */
        expect(buf_span(&body), NULL, rows[i].failure);
    }
}

/* An rr that is none, a date twice, and what is not critical. */
static void
other_entry_extensions_are_passed_over_unless_critical(void **state)
{
    CLEANUP(x509_name_cleanup) X509_NAME *issuer = name_of("issuing");
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *key = EVP_EC_gen("P-256");
    CLEANUP(x509_cleanup) X509 *certificate = certificate_of(key, "nf");
    CLEANUP(buf_free) struct buf twice = BUF_INIT(4096);
    CLEANUP(buf_free) struct buf passed = BUF_INIT(4096);
    STACK_OF(X509_EXTENSION) *dates = entries(1, "20261125180000Z", false);
    STACK_OF(X509_EXTENSION) *others = entries(1, NULL, true);

    (void)state;
    assert_true(
        sk_X509_EXTENSION_push(dates, X509_EXTENSION_dup(sk_X509_EXTENSION_value(dates, 1))) > 0);
    encode(issuer, X509_get0_serialNumber(certificate), dates, 1, &twice);
    expect(buf_span(&twice), issuer, CMP_BAD_DATA_FORMAT);
    assert_int_equal(X509_EXTENSION_set_critical(sk_X509_EXTENSION_value(others, 1), 0), 1);
    encode(issuer, X509_get0_serialNumber(certificate), others, 1, &passed);
    expect(buf_span(&passed), issuer, CMP_NO_FAILURE);
    expect(SPAN_LITERAL("\xab\x04\x30\x02\x05\x00"), issuer, CMP_BAD_DATA_FORMAT);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_reason_is_of_an_end_entity_and_lasts),
        cmocka_unit_test(a_compromise_is_one_under_any_name),
        cmocka_unit_test(what_is_missing_or_of_another_issuer_is_said),
        cmocka_unit_test(entry_extensions_are_read_exactly),
        cmocka_unit_test(what_was_read_is_what_was_asked),
        cmocka_unit_test(a_certificate_is_named_by_issuer_serial_and_perhaps_key),
        cmocka_unit_test(a_serial_number_may_be_one_of_ours),
        cmocka_unit_test(other_entry_extensions_are_passed_over_unless_critical),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
