/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/cmp/message/asked.h"

#include "ca/cmp/certreq.h"
#include "ca/cmp/message/asn1.h"
#include "ca/cmp/message/field.h"
#include "ca/x509/profile/ignored.h"
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

#define UUID "urn:uuid:11111111-2222-4333-8444-5555555555ab"
#define NAMES "DNS:a.b,URI:" UUID

/* Subject and issuer CN=nf, with a subjectAltName and two purposes and a usage. */
static X509 *
issued(void)
{
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *certificate = certificate_of(key, "nf");
    CLEANUP(x509_extension_cleanup)
    X509_EXTENSION *san = extension("subjectAltName", NAMES);
    CLEANUP(x509_extension_cleanup)
    X509_EXTENSION *eku = extension("extendedKeyUsage", "serverAuth,clientAuth");
    CLEANUP(x509_extension_cleanup)
    X509_EXTENSION *usage = extension("keyUsage", "critical,digitalSignature");

    assert_int_equal(X509_add_ext(certificate, san, -1), 1);
    assert_int_equal(X509_add_ext(certificate, eku, -1), 1);
    assert_int_equal(X509_add_ext(certificate, usage, -1), 1);
    return certificate;
}

static int
granted_by(struct span asked, X509 *certificate, unsigned ignored, bool *granted, struct err *e)
{
    CLEANUP(buf_free) struct buf der = BUF_INIT(CMP_MESSAGE_MAX);

    assert_true(i2d_re_X509_tbs(certificate, NULL) > 0); /* it was changed since it was signed */
    assert_ok(OSSL_ENCODE(X509, certificate, &der, e), e);
    return cmp_asked_is_granted(asked, buf_span(&der), ignored, granted, e);
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
    /* As sets, and by RFC 5280 7.2 and 7.4. */
    {"nf", NULL, -1, -1, "subjectAltName", NAMES, true},
    {"nf", NULL, -1, -1, "subjectAltName", "critical," NAMES, true},
    {"nf", NULL, -1, -1, "subjectAltName", "URI:" UUID ",DNS:a.b", true},
    {"nf", NULL, -1, -1, "subjectAltName", "URI:" UUID ",DNS:A.B,DNS:a.b", true},
    {"nf", NULL, -1, -1, "subjectAltName",
     "DNS:a.b,URI:URN:UUID:11111111-2222-4333-8444-5555555555AB", true},
    {NULL, NULL, -1, -1, "subjectAltName", "DNS:a.b", false},
    {NULL, NULL, -1, -1, "subjectAltName", NAMES ",DNS:a.c", false},
    {NULL, NULL, -1, -1, "subjectAltName", "DNS:a.c,URI:" UUID, false},
    {NULL, NULL, -1, -1, "subjectAltName", "DNS:a.b,DNS:a.b", false},
    {NULL, NULL, -1, -1, "subjectAltName", "email:a.b,URI:" UUID, false},
    {NULL, NULL, -1, -1, "subjectAltName", "DER:05:00", false},
    {NULL, NULL, -1, -1, "extendedKeyUsage", "serverAuth,clientAuth", true},
    {NULL, NULL, -1, -1, "extendedKeyUsage", "clientAuth,serverAuth", true},
    {NULL, NULL, -1, -1, "extendedKeyUsage", "clientAuth,serverAuth,clientAuth", true},
    {NULL, NULL, -1, -1, "extendedKeyUsage", "clientAuth", false},
    {NULL, NULL, -1, -1, "extendedKeyUsage", "clientAuth,serverAuth,emailProtection", false},
    {NULL, NULL, -1, -1, "keyUsage", "digitalSignature", true},
    {NULL, NULL, -1, -1, "keyUsage", "DER:03:03:07:80:00", true}, /* bits that are not set */
    {NULL, NULL, -1, -1, "keyUsage", "digitalSignature,keyEncipherment", false},
    {NULL, NULL, -1, -1, "basicConstraints", "CA:FALSE", true}, /* RFC 5280 4.2.1.9 */
    {NULL, NULL, -1, -1, "basicConstraints", "CA:TRUE", false},
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
        assert_ok(granted_by(buf_span(&asked), certificate, 0, &granted, &e), &e);
        if (granted != rows[i].granted) {
            fail_msg("row %zu: %s", i, granted ? "granted" : "not granted");
        }
    }
}

/* RFC 5280 7.1, and the attributes that a profile has declared harmless. */
static const struct {
    const char *asked;
    const char *given;
    int type; /* of the strings that are asked for */
    const char *ignored;
    bool granted;
} subjects[] = {
    {"C=SE/O=Op", "C=SE/O=Op", MBSTRING_UTF8, "", true},
    {"O=Op/C=SE", "C=SE/O=Op", MBSTRING_UTF8, "", true},
    {"O=op/C=SE", "C=SE/O=Op", V_ASN1_PRINTABLESTRING, "", true},
    {"C=SE/O=Op", "C=SE/O=Op", V_ASN1_BMPSTRING, "", true},
    {"C=SE/O= Op", "C=SE/O=Op", V_ASN1_T61STRING, "", true},
    {"C=SE/O=Op/O=Op", "C=SE/O=Op", MBSTRING_UTF8, "", true},
    {"O=Op", "C=SE/O=Op", MBSTRING_UTF8, "", false},
    {"C=SE/O=Op/O=Other", "C=SE/O=Op", MBSTRING_UTF8, "", false},
    {"C=SE/+O=Op", "C=SE/O=Op", MBSTRING_UTF8, "", false}, /* one RDN of two parts */
    {"C=SE/+O=Op", "O=Op/+C=SE", MBSTRING_UTF8, "", true}, /* whose order is none */
    {"CN=nf.example", "C=SE/O=Op", MBSTRING_UTF8, "", false},
    {"CN=nf.example", "C=SE/O=Op", MBSTRING_UTF8, "OU", false},
    {"CN=nf.example", "C=SE/O=Op", MBSTRING_UTF8, "CN", true},
    {"CN=nf.example/O=Op/C=SE", "C=SE/O=Op", MBSTRING_UTF8, "CN", true},
    {"C=SE/O=Op/+CN=nf.example", "C=SE/O=Op", MBSTRING_UTF8, "CN", true},
    {"CN=nf.example/CN=other", "C=SE/O=Op", MBSTRING_UTF8, "CN", true},
    {"CN=nf.example/O=Other", "C=SE/O=Op", MBSTRING_UTF8, "CN", false},
    {"CN=nf.example/OU=x/O=Op/C=SE", "C=SE/O=Op", MBSTRING_UTF8, "CN", false},
    /* what the certificate has is not dropped, and must be right */
    {"C=SE/O=Op/CN=a", "C=SE/O=Op/CN=b", MBSTRING_UTF8, "CN", false},
};

/* "C=SE/O=Op/+CN=x": a part with a plus is in the RDN of the one before. */
static X509_NAME *
name_from(const char *text, int type)
{
    X509_NAME *name = X509_NAME_new();
    CLEANUP(mem_cleanup) char *copy = mem_strdup(text);
    char *rest = NULL;

    for (char *part = strtok_r(copy, "/", &rest); part != NULL; part = strtok_r(NULL, "/", &rest)) {
        const int set = part[0] == '+' ? -1 : 0;
        char *value = strchr(part, '=');
        CLEANUP(buf_free) struct buf octets = BUF_INIT(256);
        struct err e = {0};

        *value++ = '\0';
        for (size_t i = 0; value[i] != '\0'; i++) {
            if (type == V_ASN1_BMPSTRING) {
                assert_ok(buf_append(&octets, span_of((const uint8_t *)"", 1), &e), &e);
            }
            assert_ok(buf_append(&octets, span_of((const uint8_t *)&value[i], 1), &e), &e);
        }
        assert_int_equal(
            X509_NAME_add_entry_by_txt(name, part - set, type, octets.p, (int)octets.n, -1, set),
            1);
    }
    return name;
}

static void
names_are_compared_by_what_they_say(void **state)
{
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *key = EVP_EC_gen("P-256");

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(subjects); i++) {
        CLEANUP(x509_cleanup) X509 *certificate = certificate_of(key, "nf");
        CLEANUP(x509_name_cleanup) X509_NAME *given = name_from(subjects[i].given, MBSTRING_UTF8);
        CLEANUP(buf_free) struct buf asked = BUF_INIT(CMP_MESSAGE_MAX);
        CMP_TEMPLATE *t = CMP_TEMPLATE_new();
        struct err e = {0};
        bool granted;

        assert_int_equal(X509_set_subject_name(certificate, given), 1);
        t->subject = name_from(subjects[i].asked, subjects[i].type);
        assert_ok(field_encode(ASN1_ITEM_rptr(CMP_TEMPLATE), t, &asked, &e), &e);
        CMP_TEMPLATE_free(t);
        assert_ok(granted_by(buf_span(&asked), certificate, ignored_bit(subjects[i].ignored),
                             &granted, &e),
                  &e);
        if (granted != subjects[i].granted) {
            fail_msg("%s for %s: %s", subjects[i].given, subjects[i].asked,
                     granted ? "granted" : "not granted");
        }
    }
}

/* Each RDN is compared with each: a bound on both. */
static void
a_name_of_many_parts_is_compared_in_order(void **state)
{
    CLEANUP(x509_cleanup) X509 *certificate = issued();
    CLEANUP(x509_name_cleanup) X509_NAME *long_name = X509_NAME_new();
    CLEANUP(buf_free) struct buf asked = BUF_INIT(CMP_MESSAGE_MAX);
    CMP_TEMPLATE *t = CMP_TEMPLATE_new();
    struct err e = {0};
    bool granted;

    (void)state;
    for (int i = 0; i < 33; i++) {
        assert_int_equal(X509_NAME_add_entry_by_txt(long_name, "CN", MBSTRING_UTF8,
                                                    (const unsigned char *)"nf", -1, -1, 0),
                         1);
    }
    t->subject = X509_NAME_dup(long_name);
    assert_ok(field_encode(ASN1_ITEM_rptr(CMP_TEMPLATE), t, &asked, &e), &e);
    CMP_TEMPLATE_free(t);
    assert_ok(granted_by(buf_span(&asked), certificate, 0, &granted, &e), &e);
    assert_false(granted);
}

static void
who_asks_for_nothing_gets_all_of_it(void **state)
{
    CLEANUP(x509_cleanup) X509 *certificate = issued();
    struct err e = {0};
    bool granted;

    (void)state;
    assert_ok(granted_by((struct span){0}, certificate, 0, &granted, &e), &e);
    assert_true(granted);
}

static void
what_is_no_template_is_an_error(void **state)
{
    CLEANUP(x509_cleanup) X509 *certificate = issued();
    struct err e = {0};
    bool granted;

    (void)state;
    assert_int_equal(granted_by(SPAN_LITERAL("\x30\x05\x02"), certificate, 0, &granted, &e), -1);
    assert_int_equal(e.code, ERR_INPUT);
    assert_false(granted);
}

/* The octets up to its names, up to what is behind them, and whole, but for one that is changed. */
static void
what_is_no_certificate_is_an_error(void **state)
{
    CLEANUP(x509_cleanup) X509 *certificate = issued();
    CLEANUP(buf_free) struct buf der = BUF_INIT(CMP_MESSAGE_MAX);
    struct err e = {0};
    bool granted = true;

    (void)state;
    assert_true(i2d_re_X509_tbs(certificate, NULL) > 0);
    assert_ok(OSSL_ENCODE(X509, certificate, &der, &e), &e);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(buf_free) struct buf asked = BUF_INIT(CMP_MESSAGE_MAX);
        const bool reads_on =
            rows[i].not_before >= 0 || rows[i].not_after >= 0 || rows[i].extension != NULL;
        int version = 0;

        row_encode(i, certificate, &asked);
        assert_int_equal(
            cmp_asked_is_granted(buf_span(&asked), span_of(der.p, der.n - 1), 0, &granted, &e), -1);
        assert_int_equal(e.code, ERR_INPUT);
        while (memcmp(der.p + version, "\x02\x01\x02\x02", 4) != 0) {
            version++;
        }
        der.p[version] = 0x03;
        assert_int_equal(cmp_asked_is_granted(buf_span(&asked), buf_span(&der), 0, &granted, &e),
                         reads_on ? -1 : 0);
        der.p[version] = 0x02;
        assert_false(reads_on && granted);
    }
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
        cmocka_unit_test(names_are_compared_by_what_they_say),
        cmocka_unit_test(a_name_of_many_parts_is_compared_in_order),
        cmocka_unit_test(who_asks_for_nothing_gets_all_of_it),
        cmocka_unit_test(what_is_no_template_is_an_error),
        cmocka_unit_test(what_is_no_certificate_is_an_error),
        cmocka_unit_test(a_request_tells_what_it_asks_for_without_its_key),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
