/* SPDX-License-Identifier: Apache-2.0 */
#include "ra/judge/time.h"

#include <string.h>

#include "tests/unit/ra/fixture.h"

enum { BEHIND = 700 }; /* after a start, say; the window is 300 s */

static struct {
    struct buf ir;
    struct cmp_client right;
    struct cmp_client wrong;
} w;

static int
set_up(void **state)
{
    struct fixture *f = fixture_new(PKI_NOW);
    char id[REGISTRATION_ID_SIZE];

    *state = f;
    w.ir = fixture_body(f, CMP_IR, NULL);
    fixture_register(f, &(struct fixture_registration){.reference = "amf-1"}, id);
    w.right = fixture_mac(f, "amf-1");
    w.wrong = fixture_mac(f, "amf-1");
    w.wrong.secret = SPAN_LITERAL("another");
    return 0;
}

static int
tear_down(void **state)
{
    buf_free(&w.ir);
    return fixture_teardown(state);
}

/* By how much it differs is for the one whose clock it is; a stranger hears badTime and not a word
 * more. */
static void
message_time_is_within_the_window(void **state)
{
    static const struct {
        const char *name;
        int off;
        bool stranger;
        struct fixture_verdict verdict;
    } rows[] = {
        {"now", 0, false, FIXTURE_GOOD},
        {"as far behind as may be", -BEHIND, false, FIXTURE_GOOD},
        {"one second more",
         -BEHIND - 1,
         false,
         {FIXTURE_REQUESTER, CMP_BAD_TIME, "off by -701 s; 700 s are allowed", PHRASE_TIME_OFF}},
        {"as far ahead as may be", 300, false, FIXTURE_GOOD},
        {"one second more ahead",
         301,
         false,
         {FIXTURE_REQUESTER, CMP_BAD_TIME, "off by 301 s; 300 s are allowed", PHRASE_TIME_OFF}},
        {"a stranger in time",
         -BEHIND,
         true,
         {FIXTURE_REQUESTER, CMP_BAD_MESSAGE_CHECK, "MAC does not verify", PHRASE_NONE}},
        {"a stranger behind",
         -BEHIND - 1,
         true,
         {FIXTURE_REQUESTER, CMP_BAD_TIME, "MAC does not verify", PHRASE_NONE}},
        {"a stranger ahead",
         301,
         true,
         {FIXTURE_REQUESTER, CMP_BAD_TIME, "MAC does not verify", PHRASE_NONE}},
    };
    struct fixture *f = *state;
    int wrong = 0;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct fixture_message how = {.time = f->now + rows[i].off};
        CLEANUP(buf_free)
        struct buf message =
            fixture_message(f, rows[i].stranger ? &w.wrong : &w.right, buf_span(&w.ir), &how, NULL);
        struct job *job = fixture_job(f, buf_span(&message));

        job->behind_s = BEHIND;
        wrong += fixture_expect(job, &rows[i].verdict, rows[i].name);
        if (rows[i].stranger && (enum phrase)job->e.said == PHRASE_TIME_OFF) {
            print_error("%s: is told how far it is off\n", rows[i].name);
            wrong++;
        }
        if (job->failure == CMP_BAD_TIME && job->in_body) {
            print_error("%s: told in the body\n", rows[i].name);
            wrong++;
        }
        job_free(job);
    }
    assert_int_equal(wrong, 0);
}

static void
a_time_that_is_not_there_is_not_off(void **state)
{
    static const struct fixture_verdict taken = FIXTURE_GOOD;
    static const struct fixture_verdict missing = {FIXTURE_FORM, CMP_BAD_TIME,
                                                   "messageTime is missing", PHRASE_NO_TIME};
    struct fixture *f = *state;
    const struct fixture_message how = {.time = -1};
    int wrong = 0;

    wrong += fixture_row(f, &w.right, buf_span(&w.ir), &how, &taken, "optional");
    f->ra.rules.time_required = true;
    wrong += fixture_row(f, &w.right, buf_span(&w.ir), &how, &missing, "required");
    f->ra.rules.time_required = false;
    assert_int_equal(wrong, 0);
}

/* What we could not find out is nothing about its clock; and nothing about a clock goes into a
 * body.
 */
static void
our_own_fault_stays_ours(void **state)
{
    struct job job = {.untimely = true, .in_body = true, .failure = CMP_SYSTEM_FAILURE};

    (void)state;
    assert_int_equal(judge_time_stranger(&job), -1);
    assert_int_equal(job.failure, CMP_SYSTEM_FAILURE);
    assert_true(job.in_body);
    job.failure = CMP_CERT_REVOKED;
    assert_int_equal(judge_time_stranger(&job), -1);
    assert_int_equal(job.failure, CMP_BAD_TIME);
    assert_false(job.in_body);
    job = (struct job){.untimely = false, .in_body = true, .failure = CMP_CERT_REVOKED};
    assert_int_equal(judge_time_stranger(&job), -1);
    assert_int_equal(job.failure, CMP_CERT_REVOKED);
    assert_true(job.in_body);
    job = (struct job){.untimely = true, .in_body = true};
    assert_int_equal(judge_time(&job), -1);
    assert_int_equal(job.failure, CMP_BAD_TIME);
    assert_false(job.in_body);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(message_time_is_within_the_window),
        cmocka_unit_test(a_time_that_is_not_there_is_not_off),
        cmocka_unit_test(our_own_fault_stays_ours),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
