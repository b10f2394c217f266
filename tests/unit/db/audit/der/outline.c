/* SPDX-License-Identifier: Apache-2.0 */
/* What is found in a certificate without decoding it is what OpenSSL finds. */
#include "db/audit/der/outline.h"

#include <string.h>

#include "tests/support/der_text.h"
#include "tests/support/pki.h"
#include "tests/support/test.h"

enum { DER_MAX = 8192 };

static struct span
of(const ASN1_STRING *string)
{
    return span_of(ASN1_STRING_get0_data(string), (size_t)ASN1_STRING_length(string));
}

static void
must_have(const struct audit_outline *o, X509 *certificate)
{
    CLEANUP(buf_free) struct buf der = BUF_INIT(DER_MAX);
    unsigned char *tbs = NULL;
    const int n = i2d_re_X509_tbs(certificate, &tbs);
    struct tm tm = {0};
    char text[TIME_TEXT_SIZE];
    struct err e = {0};

    assert_true(span_equal(o->tbs, span_of(tbs, (size_t)n)));
    OPENSSL_free(tbs);
    assert_true(span_equal(o->serial, of(X509_get0_serialNumber(certificate))));
    assert_ok(OSSL_ENCODE(X509_NAME, X509_get_subject_name(certificate), &der, &e), &e);
    assert_true(span_equal(o->subject, buf_span(&der)));
    buf_truncate(&der, 0);
    assert_ok(OSSL_ENCODE(X509_NAME, X509_get_issuer_name(certificate), &der, &e), &e);
    assert_true(span_equal(o->issuer, buf_span(&der)));
    buf_truncate(&der, 0);
    assert_ok(OSSL_ENCODE(X509_PUBKEY, X509_get_X509_PUBKEY(certificate), &der, &e), &e);
    assert_true(span_equal(o->spki, buf_span(&der)));
    assert_int_equal(ASN1_TIME_to_tm(X509_get0_notBefore(certificate), &tm), 1);
    time_format(timegm(&tm), text);
    assert_string_equal(o->not_before, text);
    assert_int_equal(ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &tm), 1);
    time_format(timegm(&tm), text);
    assert_string_equal(o->not_after, text);
}

/* The root's end is a GeneralizedTime: it is after 2049. */
static void
it_finds_what_openssl_finds(void **state)
{
    static const time_t days[] = {PKI_NOW, 2300000000};
    static const char *const keys[] = {"P-256", "RSA-3072"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(days); i++) {
        CLEANUP(pki_cleanup) struct pki *pki = pki_new_at(keys[i], keys[i], days[i]);
        X509 *const all[] = {pki->root, pki->issuing};

        for (size_t k = 0; k < ARRAY_LEN(all); k++) {
            CLEANUP(buf_free) struct buf der = BUF_INIT(DER_MAX);
            struct audit_outline o;
            struct err e = {0};

            assert_ok(OSSL_ENCODE(X509, all[k], &der, &e), &e);
            assert_ok(audit_outline_read(buf_span(&der), &o, &e), &e);
            must_have(&o, all[k]);
            for (size_t n = 0; n < der.n; n++) {
                assert_err(audit_outline_read(span_of(der.p, n), &o, &e), ERR_CRYPTO, &e);
            }
        }
    }
}

#define VERSION "a0{02{02}}"
#define NAME "30{}"
#define TIMES "30{17{'261123205251Z'}18{'20501123205251Z'}}"
#define REST NAME "30{00}"
#define TBS(serial, times) "30{" VERSION serial "30{}" NAME times REST "}"
#define CERTIFICATE(tbs) "30{" tbs "30{}03{00}}"

static void
only_a_certificate_has_an_outline(void **state)
{
    static const struct {
        const char *text;
        const char *serial; /* NULL: it is none */
    } rows[] = {
        {CERTIFICATE(TBS("02{5a01}", TIMES)), "5a01"},
        {CERTIFICATE(TBS("02{0080}", TIMES)), "80"},
        {CERTIFICATE(TBS("02{00}", TIMES)), "00"},
        {CERTIFICATE(TBS("02{005a}", TIMES)), NULL},
        {CERTIFICATE(TBS("02{80}", TIMES)), NULL},
        {CERTIFICATE(TBS("02{}", TIMES)), NULL},
        {CERTIFICATE(TBS("04{5a}", TIMES)), NULL},
        {"30{" TBS("02{5a01}", TIMES) "30{}03{00}05{}}", NULL},
        {CERTIFICATE(TBS("02{5a01}", TIMES)) "00", NULL},
        {"31{" TBS("02{5a01}", TIMES) "30{}03{00}}", NULL},
        {"30{" TBS("02{5a01}", TIMES) "30{}}", NULL},
        {CERTIFICATE("30{02{5a01}30{}" NAME TIMES REST "}"), NULL}, /* version 1 */
        {CERTIFICATE(TBS("02{5a01}", "30{17{'261123205251Z'}}")), NULL},
        {CERTIFICATE(TBS("02{5a01}", "30{17{'2611232052Z'}17{'261123205251Z'}}")), NULL},
        {CERTIFICATE(TBS("02{5a01}", "30{17{'261123205251Z'}17{'26112320525xZ'}}")), NULL},
        {CERTIFICATE(TBS("02{5a01}", "30{17{'261123205251Z'}17{'261123205251+'}}")), NULL},
        {CERTIFICATE(TBS("02{5a01}", "30{17{'261123205251Z'}18{'20501123205251.0Z'}}")), NULL},
        {CERTIFICATE(TBS("02{5a01}", "30{17{'261123205251Z'}18{'20501123205251Z'}05{}}")), NULL},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(buf_free) struct buf der = BUF_INIT(DER_MAX);
        struct audit_outline o;
        struct err e = {0};
        int result;

        der_text(rows[i].text, &der);
        result = audit_outline_read(buf_span(&der), &o, &e);
        if ((result == 0) != (rows[i].serial != NULL)) {
            fail_msg("%zu: %s", i, result == 0 ? "read" : e.text);
        }
        if (result == 0) {
            CLEANUP(mem_cleanup) char *serial = hex_dup(o.serial);

            assert_string_equal(serial, rows[i].serial);
            assert_string_equal(o.not_before, "2026-11-23T20:52:51Z");
            assert_string_equal(o.not_after, "2050-11-23T20:52:51Z");
        }
    }
}

/* X.690 10.1, 8.3.2 */
static void
lengths_and_numbers_have_one_form(void **state)
{
    static const struct {
        const char *text;
        bool is_one;
        uint64_t value;
    } rows[] = {
        {"02{00}", true, 0},
        {"02{7f}", true, 127},
        {"02{0080}", true, 128},
        {"02{00ffffffff}", true, UINT32_MAX},
        {"02{7fffffff}", true, INT32_MAX},
        {"02{0100000000}", false, 0},
        {"02{007f}", false, 0},
        {"02{80}", false, 0},
        {"02{}", false, 0},
        {"028100", false, 0},
        {"02810101", false, 0},
        {"0282000101", false, 0},
        {"028001"
         "0000",
         false, 0},
        {"0285000000000101", false, 0},
        {"02ffffff", false, 0},
        {"0a{01}", false, 0},
        {"02", false, 0},
        {"", false, 0},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(buf_free) struct buf der = BUF_INIT(DER_MAX);
        struct span in;
        uint64_t value = 0;

        der_text(rows[i].text, &der);
        in = buf_span(&der);
        if (audit_take_number(&in, &value) != rows[i].is_one || value != rows[i].value) {
            fail_msg("%zu: %s", i, rows[i].text);
        }
        assert_true(!rows[i].is_one || in.n == 0);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_finds_what_openssl_finds),
        cmocka_unit_test(only_a_certificate_has_an_outline),
        cmocka_unit_test(lengths_and_numbers_have_one_form),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
