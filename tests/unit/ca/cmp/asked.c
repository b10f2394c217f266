/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/cmp/asked.h"

#include "ca/cmp/asn1.h"
#include "ca/cmp/certreq.h"
#include "ca/cmp/field.h"
#include "tests/unit/ca/cmp/fixture.h"

static X509_EXTENSION *
extension(const char *name, const char *value)
{
    X509V3_CTX ctx;
    X509_EXTENSION *made;

    X509V3_set_ctx(&ctx, NULL, NULL, NULL, NULL, 0);
    X509V3_set_ctx_nodb(&ctx);
    made = X509V3_EXT_conf(NULL, &ctx, name, value);
    assert_non_null(made);
    return made;
}

/* Subject and issuer CN=nf, with a subjectAltName and two purposes. */
static X509 *
issued(void)
{
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *certificate = certificate_of(key, "nf");
    CLEANUP(x509_extension_cleanup) X509_EXTENSION *san = extension("subjectAltName", "DNS:a.b");
    CLEANUP(x509_extension_cleanup)
    X509_EXTENSION *eku = extension("extendedKeyUsage", "serverAuth,clientAuth");

    assert_int_equal(X509_add_ext(certificate, san, -1), 1);
    assert_int_equal(X509_add_ext(certificate, eku, -1), 1);
    return certificate;
}

static const struct {
    const char *subject;
    const char *issuer;
    int not_before; /* seconds beside the certificate's; -1: not asked */
    int not_after;
    const char *extension;
    const char *value;
    bool granted;
} rows[] = {
    {"nf", NULL, -1, -1, NULL, NULL, true},
    {"NF", NULL, -1, -1, NULL, NULL, true}, /* RFC 5280 7.1: names are compared without case */
    {"another", NULL, -1, -1, NULL, NULL, false},
    {NULL, "nf", -1, -1, NULL, NULL, true},
    {NULL, "another", -1, -1, NULL, NULL, false},
    {"nf", NULL, 0, 0, NULL, NULL, true},
    {"nf", NULL, -1, 0, NULL, NULL, true},
    {"nf", NULL, 60, -1, NULL, NULL, false},
    {"nf", NULL, 0, 60, NULL, NULL, false},
    {"nf", NULL, -1, -1, "subjectAltName", "DNS:a.b", true},
    {"nf", NULL, -1, -1, "subjectAltName", "critical,DNS:a.b", true},
    {NULL, NULL, -1, -1, "subjectAltName", "DNS:a.c", false},
    {NULL, NULL, -1, -1, "extendedKeyUsage", "serverAuth,clientAuth", true},
    {NULL, NULL, -1, -1, "extendedKeyUsage", "clientAuth", false},
    {NULL, NULL, -1, -1, "keyUsage", "digitalSignature", false},
    {NULL, NULL, -1, -1, "1.3.6.1.4.1.1.5", "DER:05:00", false},
};

static void
row_encode(size_t i, const X509 *certificate, struct buf *out)
{
    CMP_TEMPLATE *t = CMP_TEMPLATE_new();
    struct err e = {0};

    t->subject = rows[i].subject != NULL ? name_of(rows[i].subject) : NULL;
    t->issuer = rows[i].issuer != NULL ? name_of(rows[i].issuer) : NULL;
    if (rows[i].not_before >= 0 || rows[i].not_after >= 0) {
        struct tm tm;

        t->validity = CMP_VALIDITY_new();
        if (rows[i].not_before >= 0) {
            assert_int_equal(ASN1_TIME_to_tm(X509_get0_notBefore(certificate), &tm), 1);
            t->validity->not_before = ASN1_TIME_set(NULL, timegm(&tm) + rows[i].not_before);
        }
        if (rows[i].not_after >= 0) {
            assert_int_equal(ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &tm), 1);
            t->validity->not_after = ASN1_TIME_set(NULL, timegm(&tm) + rows[i].not_after);
        }
    }
    if (rows[i].extension != NULL) {
        t->extensions = sk_X509_EXTENSION_new_null();
        assert_true(
            sk_X509_EXTENSION_push(t->extensions, extension(rows[i].extension, rows[i].value)) > 0);
    }
    assert_ok(field_encode(ASN1_ITEM_rptr(CMP_TEMPLATE), t, out, &e), &e);
    CMP_TEMPLATE_free(t);
}

static void
what_the_certificate_lacks_or_has_otherwise_is_not_granted(void **state)
{
    CLEANUP(x509_cleanup) X509 *certificate = issued();

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(buf_free) struct buf asked = BUF_INIT(CMP_MESSAGE_MAX);
        struct err e = {0};
        bool granted;

        row_encode(i, certificate, &asked);
        assert_ok(cmp_asked_is_granted(buf_span(&asked), certificate, &granted, &e), &e);
        if (granted != rows[i].granted) {
            fail_msg("row %zu: %s", i, granted ? "granted" : "not granted");
        }
    }
}

static void
who_asks_for_nothing_gets_all_of_it(void **state)
{
    CLEANUP(x509_cleanup) X509 *certificate = issued();
    struct err e = {0};
    bool granted;

    (void)state;
    assert_ok(cmp_asked_is_granted((struct span){0}, certificate, &granted, &e), &e);
    assert_true(granted);
}

static void
what_is_no_template_is_an_error(void **state)
{
    CLEANUP(x509_cleanup) X509 *certificate = issued();
    struct err e = {0};
    bool granted;

    (void)state;
    assert_int_equal(cmp_asked_is_granted(SPAN_LITERAL("\x30\x05\x02"), certificate, &granted, &e),
                     -1);
    assert_int_equal(e.code, ERR_INPUT);
    assert_false(granted);
}

/* As OpenSSL makes them: a subject, and, when the client signs, the issuer of its certificate. */
static void
a_request_tells_what_it_asks_for_without_its_key(void **state)
{
    static const struct {
        const char *name;
        bool issuer;
    } files[] = {{"pbm-ir.der", false}, {"sig-cr.der", true}, {"pbm-p10cr.der", false}};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(files); i++) {
        CLEANUP(cmp_msg_cleanup) struct cmp_msg *msg = vector_msg(files[i].name);
        CLEANUP(cmp_certreq_cleanup) struct cmp_certreq *r = NULL;
        CLEANUP(x509_name_cleanup) X509_NAME *subject = name_of("x");
        CLEANUP(buf_free) struct buf asked = BUF_INIT(CMP_MESSAGE_MAX);
        CMP_TEMPLATE *t;
        enum cmp_failure failure;
        struct err e = {0};

        r = cmp_certreq_read(msg, &failure, &e);
        assert_non_null(r);
        assert_ok(cmp_certreq_encode_asked(r, &asked, &e), &e);
        t = field_decode(ASN1_ITEM_rptr(CMP_TEMPLATE), buf_span(&asked), "asked", &e);
        assert_non_null(t);
        assert_null(t->public_key);
        assert_int_equal(t->issuer != NULL, files[i].issuer);
        assert_null(t->validity);
        assert_int_equal(X509_NAME_cmp(t->subject, subject), 0);
        CMP_TEMPLATE_free(t);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_the_certificate_lacks_or_has_otherwise_is_not_granted),
        cmocka_unit_test(who_asks_for_nothing_gets_all_of_it),
        cmocka_unit_test(what_is_no_template_is_an_error),
        cmocka_unit_test(a_request_tells_what_it_asks_for_without_its_key),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
