/* SPDX-License-Identifier: Apache-2.0 */
#include "db/audit/out/terms.h"

#include "tests/support/test.h"

static void
reasons_and_failures_have_their_names(void **state)
{
    (void)state;
    assert_string_equal(term_crl_reason(1), "keyCompromise");
    assert_string_equal(term_crl_reason(10), "aACompromise");
    assert_null(term_crl_reason(7));
    assert_null(term_crl_reason(11));
    assert_null(term_crl_reason(-1));
    assert_int_equal(term_crl_reason_parse("KEYcompromise"), 1);
    assert_int_equal(term_crl_reason_parse("key"), -1);
    assert_string_equal(term_fail_info(9), "badPOP");
    assert_string_equal(term_fail_info(21), "transactionIdInUse");
    assert_string_equal(term_fail_info(26), "duplicateCertReq");
    assert_null(term_fail_info(27));
    assert_null(term_fail_info(-1));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(reasons_and_failures_have_their_names)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
