/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/ra/fixture.h"

static void
a_registered_one_is_taken(void **state)
{
    struct fixture *f = *state;
    const struct fixture_verdict taken = {FIXTURE_TAKEN, CMP_NO_FAILURE, "", PHRASE_NONE};
    char id[REGISTRATION_ID_SIZE];
    struct cmp_client mac = fixture_mac(f, "amf-1");
    struct job *job;

    fixture_register(f, &(struct fixture_registration){.reference = "amf-1"}, id);
    CLEANUP(buf_free) struct buf message = fixture_ask(f, &mac, CMP_IR);
    job = fixture_job(f, buf_span(&message));
    assert_int_equal(fixture_expect(job, &taken, "mac"), 0);
    assert_true(job->part.n > 0);
    job_free(job);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_registered_one_is_taken),
    };

    return cmocka_run_group_tests(tests, fixture_setup, fixture_teardown);
}
