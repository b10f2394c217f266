/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/cmp/update.h"

#include "ca/cmp/message/der.h"
#include "tests/support/der_edit.h"
#include "tests/unit/ca/cmp/fixture.h"

/* The kur of the vectors is signed with dev.crt and names it in oldCertId. */
static void
a_kur_is_about_the_certificate_that_signs_it(void **state)
{
    CLEANUP(cmp_msg_cleanup) struct cmp_msg *msg = vector_msg("sig-kur.der");
    CLEANUP(x509_cleanup) X509 *certificate = vector_cert("dev.crt");
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *key = EVP_EC_gen("P-256");
    CLEANUP(x509_cleanup) X509 *other = certificate_of(key, "other");
    CLEANUP(cmp_certreq_cleanup) struct cmp_certreq *asked = NULL;
    enum cmp_failure failure = CMP_NO_FAILURE;
    struct err e = {0};

    (void)state;
    asked = cmp_certreq_read(msg, &failure, &e);
    assert_non_null(asked);
    assert_ok(cmp_certreq_check_update(asked, certificate, &failure, &e), &e);
    assert_int_equal(cmp_certreq_check_update(asked, other, &failure, &e), -1);
    assert_int_equal(failure, CMP_BAD_CERT_ID);
}

static struct cmp_msg *
kur(const X509_NAME *subject, EVP_PKEY *key, X509 *certificate)
{
    const struct cmp_client client = {.certificate = certificate, .key = key};
    CLEANUP(buf_free) struct buf der = BUF_INIT(CMP_MESSAGE_MAX);
    struct cmp_client_state state;
    struct cmp_msg *msg;
    struct err e = {0};

    assert_ok(cmp_client_request(&client, CMP_KUR, key, subject, &state, &der, &e), &e);
    msg = cmp_msg_parse(buf_span(&der), CMP_MESSAGE_MAX, &e);
    assert_non_null(msg);
    return msg;
}

static void
its_names_are_the_same(void **state)
{
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *key = EVP_EC_gen("P-256");
    CLEANUP(x509_cleanup) X509 *certificate = certificate_of(key, "nf");
    CLEANUP(x509_name_cleanup) X509_NAME *other = name_of("another");
    const struct {
        const X509_NAME *subject;
        enum cmp_failure failure;
    } rows[] = {
        {X509_get_subject_name(certificate), CMP_NO_FAILURE},
        {other, CMP_NOT_AUTHORIZED},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(cmp_msg_cleanup) struct cmp_msg *msg = kur(rows[i].subject, key, certificate);
        CLEANUP(cmp_certreq_cleanup) struct cmp_certreq *asked = NULL;
        enum cmp_failure failure = CMP_NO_FAILURE;
        struct err e = {0};

        print_message("row %zu\n", i);
        asked = cmp_certreq_read(msg, &failure, &e);
        assert_non_null(asked);
        assert_int_equal(cmp_certreq_check_update(asked, certificate, &failure, &e),
                         rows[i].failure == CMP_NO_FAILURE ? 0 : -1);
        assert_int_equal(failure, rows[i].failure);
    }
}

static X509_NAME *
name_with(const char *const parts[2])
{
    X509_NAME *name = X509_NAME_new();

    for (int i = 0; i < 2; i++) {
        assert_int_equal(X509_NAME_add_entry_by_txt(name, parts[i][0] == 'C' ? "CN" : "O",
                                                    MBSTRING_UTF8,
                                                    (const unsigned char *)parts[i] + 1, -1, -1, 0),
                         1);
    }
    return name;
}

/* oldCertID ::= CertId { issuer GeneralName, serialNumber }, which CmpRaComponent's client writes
 * with the RDNs of the issuer from the end. */
static void
the_old_certificate_is_found_whatever_the_order_of_rdns(void **state)
{
    static const struct {
        const char *parts[2];
        int serial;
        enum cmp_failure failure;
    } rows[] = {
        {{"OOp", "CIssuing"}, 4711, CMP_NO_FAILURE},
        {{"CIssuing", "OOp"}, 4711, CMP_NO_FAILURE},
        {{"Cissuing", "Oop"}, 4711, CMP_NO_FAILURE},
        {{"CIssuing", "OOther"}, 4711, CMP_BAD_CERT_ID},
        {{"CIssuing", "CIssuing"}, 4711, CMP_BAD_CERT_ID},
        {{"CIssuing", "OOp"}, 4712, CMP_BAD_CERT_ID},
    };
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *key = EVP_EC_gen("P-256");
    CLEANUP(x509_cleanup) X509 *certificate = certificate_of(key, "nf");
    CLEANUP(x509_name_cleanup) X509_NAME *issuer = name_with(rows[0].parts);

    (void)state;
    assert_int_equal(X509_set_issuer_name(certificate, issuer), 1);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(cmp_msg_cleanup) struct cmp_msg *msg = NULL;
        CLEANUP(cmp_certreq_cleanup) struct cmp_certreq *asked = NULL;
        CLEANUP(x509_name_cleanup) X509_NAME *name = name_with(rows[i].parts);
        CLEANUP(asn1_integer_cleanup) ASN1_INTEGER *serial = ASN1_INTEGER_new();
        CLEANUP(buf_free) struct buf body = BUF_INIT(CMP_MESSAGE_MAX);
        CLEANUP(buf_free) struct buf der = BUF_INIT(CMP_MESSAGE_MAX);
        const struct cmp_client client = {.certificate = certificate, .key = key};
        const struct cmp_client_wish wish = {.subject = X509_get_subject_name(certificate),
                                             .old_issuer = name,
                                             .old_serial = serial};
        enum cmp_failure failure = CMP_NO_FAILURE;
        struct cmp_client_state s;
        struct err e = {0};

        assert_int_equal(ASN1_INTEGER_set_int64(serial, rows[i].serial), 1);
        assert_ok(cmp_client_body_wish(CMP_KUR, key, &wish, &body, &e), &e);
        assert_ok(cmp_client_message(&client, true, buf_span(&body), &s, &der, &e), &e);
        msg = parse_ok(buf_span(&der));
        asked = cmp_certreq_read(msg, &failure, &e);
        assert_non_null(asked);
        (void)cmp_certreq_check_update(asked, certificate, &failure, &e);
        if (failure != rows[i].failure) {
            fail_msg("row %zu: %s: %s", i, cmp_failure_name(failure), e.text);
        }
    }
}

/* A certificate with this subjectAltName; NULL: without. */
static X509 *
with_names(EVP_PKEY *key, const char *names)
{
    X509 *x = certificate_of(key, "nf");

    if (names != NULL) {
        X509_EXTENSION *san = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, names);

        assert_int_equal(X509_add_ext(x, san, -1), 1);
        X509_EXTENSION_free(san);
    }
    return x;
}

static void
its_alternative_names_are_the_same(void **state)
{
    static const struct {
        const char *asked;
        const char *old;
        bool good;
    } rows[] = {
        {NULL, "DNS:amf.example", true},
        {NULL, NULL, true},
        {"DNS:amf.example", "DNS:amf.example", true},
        {"DNS:AMF.example", "DNS:amf.example", true},
        {"DNS:smf.example", "DNS:amf.example", false},
        {"DNS:amf.example,DNS:smf.example", "DNS:amf.example", false},
        {"DNS:amf.example", "DNS:amf.example,DNS:smf.example", false},
        {"DNS:amf.example", NULL, false},
        {"URI:amf.example", "DNS:amf.example", false},
        {"email:amf.example", "DNS:amf.example", false},
        {"otherName:1.2.3;IA5:amf.example", "DNS:amf.example", false},
        {"RID:1.2.3", "RID:1.2.3", true},
        {"RID:1.2.3", "RID:1.2.4", false},
        {"IP:10.0.0.1", "IP:10.0.0.2", false},
    };
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *key = EVP_EC_gen("P-256");

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(x509_cleanup) X509 *old = with_names(key, rows[i].old);
        CLEANUP(cmp_certreq_cleanup) struct cmp_certreq *asked = NULL;
        CLEANUP(cmp_msg_cleanup) struct cmp_msg *msg = NULL;
        CLEANUP(buf_free) struct buf body = BUF_INIT(CMP_MESSAGE_MAX);
        CLEANUP(buf_free) struct buf changed = BUF_INIT(CMP_MESSAGE_MAX);
        CLEANUP(buf_free) struct buf der = BUF_INIT(CMP_MESSAGE_MAX);
        CLEANUP(buf_free) struct buf extension = BUF_INIT(CMP_MESSAGE_MAX);
        CLEANUP(buf_free) struct buf field = BUF_INIT(CMP_MESSAGE_MAX);
        const struct cmp_client client = {.certificate = old, .key = key};
        const struct cmp_client_wish wish = {.subject = X509_get_subject_name(old)};
        enum cmp_failure failure = CMP_NO_FAILURE;
        struct cmp_client_state s;
        struct err e = {0};

        assert_ok(cmp_client_body_wish(CMP_KUR, key, &wish, &body, &e), &e);
        if (rows[i].asked != NULL) { /* [9] extensions, after [5] subject and [6] publicKey */
            X509_EXTENSION *san =
                X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, rows[i].asked);
            struct span was = der_at(buf_span(&body), "0.0.0.1.1");

            assert_int_equal(was.p[0], 0xa6);
            assert_ok(OSSL_ENCODE(X509_EXTENSION, san, &extension, &e), &e);
            X509_EXTENSION_free(san);
            assert_ok(buf_append(&field, was, &e), &e);
            assert_ok(der_append(&field, DER_CONTEXT | 9, buf_span(&extension), &e), &e);
            assert_ok(der_edit(buf_span(&body), "0.0.0.1.1", buf_span(&field), &changed, &e), &e);
            buf_move(&body, &changed);
        }
        assert_ok(cmp_client_message(&client, true, buf_span(&body), &s, &der, &e), &e);
        msg = parse_ok(buf_span(&der));
        asked = cmp_certreq_read(msg, &failure, &e);
        if (asked == NULL) {
            fail_msg("row %zu: %s", i, e.text);
        }
        (void)cmp_certreq_check_update(asked, old, &failure, &e);
        if (failure != (rows[i].good ? CMP_NO_FAILURE : CMP_NOT_AUTHORIZED) ||
            (!rows[i].good && strstr(e.text, "another subjectAltName") == NULL)) {
            fail_msg("row %zu: %s: %s", i, cmp_failure_name(failure), e.text);
        }
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_kur_is_about_the_certificate_that_signs_it),
        cmocka_unit_test(its_names_are_the_same),
        cmocka_unit_test(the_old_certificate_is_found_whatever_the_order_of_rdns),
        cmocka_unit_test(its_alternative_names_are_the_same),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
