/* SPDX-License-Identifier: Apache-2.0 */
/* What a network function hears in each state of its transaction, over HTTP. */
#include "ra/transaction.h"

#include "tests/unit/ra/running.h"

static void
an_enrolment_goes_its_way(void **state)
{
    struct running *w = *state;
    CLEANUP(member_free) struct member m = running_member(w);

    member_enrols(w, &m);
    assert_int_equal(w->asked[LINK_SUBMIT], 2);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(an_enrolment_goes_its_way, running_reset),
    };

    return cmocka_run_group_tests(tests, running_setup, running_teardown);
}
