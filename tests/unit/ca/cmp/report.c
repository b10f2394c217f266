/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/cmp/report.h"

#include <string.h>

#include "base/tlog/ra_report.h"
#include "ca/cmp/submission.h"
#include "tests/support/der_text.h"
#include "tests/support/test.h"

#define ALL "30{04{'text'}04{'signature'}04{'certificate'}}"

static void
a_report_is_written_and_read(void **state)
{
    const struct cmp_report r = {.text = SPAN_LITERAL("text"),
                                 .signature = SPAN_LITERAL("signature"),
                                 .certificate = SPAN_LITERAL("certificate")};
    CLEANUP(buf_free) struct buf der = BUF_INIT(CMP_REPORT_MAX);
    CLEANUP(buf_free) struct buf wanted = BUF_INIT(CMP_REPORT_MAX);
    struct cmp_report back;
    struct err e = {0};

    (void)state;
    assert_ok(cmp_report_encode(&r, &der, &e), &e);
    der_text(ALL, &wanted);
    assert_true(span_equal(buf_span(&der), buf_span(&wanted)));
    assert_ok(cmp_report_decode(buf_span(&der), &back, &e), &e);
    assert_true(span_equal(back.text, r.text) && span_equal(back.signature, r.signature) &&
                span_equal(back.certificate, r.certificate));
}

static void
what_is_none_is_refused(void **state)
{
    static const struct {
        const char *der;
        const char *says;
    } rows[] = {
        {"04{}", "report: not one SEQUENCE in DER"},
        {ALL "00", "report: not one SEQUENCE in DER"},
        {"30{}", "report: text is not an OCTET STRING"},
        {"30{04{'text'}02{01}04{'certificate'}}", "report: signature is not an OCTET STRING"},
        {"30{04{'text'}04{}04{'certificate'}}", "report: signature of 0 octets"},
        {"30{04{'text'}04{'signature'}04{'certificate'}04{'more'}}", "report: octets behind it"},
    };
    static const uint8_t long_text[RA_REPORT_TEXT_MAX + 1];
    const struct cmp_report r = {.text = {long_text, sizeof(long_text)},
                                 .signature = SPAN_LITERAL("signature"),
                                 .certificate = SPAN_LITERAL("certificate")};
    CLEANUP(buf_free) struct buf der = BUF_INIT(CMP_REPORT_MAX);
    struct cmp_report back;
    struct err e = {0};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        der_text(rows[i].der, &der);
        assert_err(cmp_report_decode(buf_span(&der), &back, &e), ERR_INPUT, &e);
        if (strstr(e.text, rows[i].says) == NULL) {
            fail_msg("%s: %s", rows[i].der, e.text);
        }
    }
    assert_err(cmp_report_encode(&r, &der, &e), ERR_INPUT, &e);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_report_is_written_and_read),
        cmocka_unit_test(what_is_none_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
