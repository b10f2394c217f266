/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An RA that lies: one row for each check of the CA that an honest RA makes first. One CA for all.
 */
#include "tests/unit/ca/daemon/lie.h"

static int
setup(void **state)
{
    (void)world_setup(state);
    world_restart(*state, "renewal_window = 0\nreenrolment = \"refuse\"\n");
    return 0;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_ra_that_is_none_decides_nothing),
        cmocka_unit_test(an_entry_that_the_ra_did_not_sign_decides_nothing),
        cmocka_unit_test(all_entries_of_one_head_are_heard),
        cmocka_unit_test(a_wrapper_of_before_decides_nothing),
        cmocka_unit_test(an_ra_that_is_revoked_meanwhile_decides_nothing),
        cmocka_unit_test(a_registration_comes_under_its_own_id),
        cmocka_unit_test(what_is_too_long_or_no_message_ends_the_connection),
        cmocka_unit_test(a_request_that_an_honest_ra_refuses_is_refused),
        cmocka_unit_test(a_holder_that_an_honest_ra_refuses_is_refused),
        cmocka_unit_test(a_certificate_says_what_is_registered_whatever_is_asked),
        cmocka_unit_test(a_first_request_asks_for_registered_names_only),
        cmocka_unit_test(an_update_asks_for_no_other_names),
        cmocka_unit_test(a_proof_is_not_another_registrations),
        cmocka_unit_test(a_second_registration_by_one_proof_is_refused),
        cmocka_unit_test(two_of_before_with_one_proof_are_named_at_a_start),
        cmocka_unit_test(what_two_registrations_are_proven_by_gets_nothing),
        cmocka_unit_test(what_was_kept_back_is_not_for_a_later_registration),
        cmocka_unit_test(the_record_says_whose_word_the_time_is),
        cmocka_unit_test(what_was_answered_is_answered_so_elsewhere),
        cmocka_unit_test(a_confirmation_that_an_honest_ra_refuses_is_refused),
        cmocka_unit_test(a_revocation_that_an_honest_ra_refuses_is_refused),
    };

    return cmocka_run_group_tests(tests, setup, world_teardown);
}
