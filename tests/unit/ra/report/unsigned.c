/* SPDX-License-Identifier: Apache-2.0 */
/* An RA whose signer signs nothing of what it says of itself: it serves on, and its log has it. */
#include "ra/report/report.h"
#include "tests/unit/ra/running.h"

enum { TICK_MS = 50 };

static bool
is_dropped(struct running *w)
{
    (void)w;
    return tap_has("the signer signs no report: it is dropped");
}

static bool
is_idle(struct running *w)
{
    return !report_with_signer(w->ra.report);
}

static void
what_the_signer_refuses_is_dropped(void **state)
{
    struct running *w = *state;

    w->ra.report = report_new(&w->ra, TICK_MS);
    running_until(w, is_dropped);
    tap_mark();
    report_refused(w->ra.report, "", CMP_BAD_POP, "proof of possession");
    report_stop(w->ra.report, "told to");
    assert_true(report_with_signer(w->ra.report));
    assert_true(report_is_busy(w->ra.report)); /* it cannot be freed yet */
    running_until(w, is_idle);
    tap_need("the signer signs no report: it is dropped");
    assert_false(report_is_busy(w->ra.report));
    assert_int_equal(w->asked[LINK_REPORT], 0);
    report_free(w->ra.report);
    w->ra.report = NULL;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(what_the_signer_refuses_is_dropped, running_reset),
    };

    running_sign_no_heads();
    return cmocka_run_group_tests(tests, running_setup, running_teardown);
}
