/* SPDX-License-Identifier: Apache-2.0 */
/* Who must come again, what comes again, and what comes at once. */
#include "ra/transaction/transaction.h"

#include <stdio.h>
#include <string.h>

#include "ca/cmp/message/body.h"
#include "ca/cmp/protection/protect.h"
#include "ra/daemon/budget.h"
#include "ra/daemon/crowd.h"
#include "ra/secret/lane.h"
#include "tests/unit/ra/transaction/talking.h"

enum { REFUSALS_MAX = 64, DEAR = 50000 /* steps of a key */ };

/* ---- who must come again ---- */

static void
more_than_can_be_done_at_once_comes_again(void **state)
{
    struct running *w = *state;
    CLEANUP(member_free) struct member m = running_member(w);
    CLEANUP(heard_free) struct heard h = {0};
    CLEANUP(heard_free) struct heard garbage = {0};
    CLEANUP(heard_free) struct heard many = {0};
    CLEANUP(heard_free) struct heard dear = {0};

    member_requests(&m, CMP_IR);
    w->settings->requests_max = 0;
    h = running_post(w, buf_span(&m.message));
    talking_is_busy(&h, &m, CMP_SYSTEM_UNAVAIL, "", "Retry-After: 2");
    garbage = running_post(w, SPAN_LITERAL("hello"));
    talking_is_bare(&garbage, "Retry-After: 2");
    w->ra.refusals = REFUSALS_MAX;
    many = running_post(w, buf_span(&m.message));
    talking_is_bare(&many, "Retry-After: 2");
    assert_int_equal(w->ra.refusals, REFUSALS_MAX);
    w->ra.refusals = REFUSALS_MAX - 1;
    dear = running_post(w, buf_span(&m.message));
    talking_is_busy(&dear, &m, CMP_SYSTEM_UNAVAIL, "", "Retry-After: 2");
    running_settle(w);
    assert_int_equal(w->ra.refusals, REFUSALS_MAX - 1);
    w->ra.refusals = 0;
    w->settings->requests_max = 1;
    talking_hears(w, &m, CMP_IP); /* nothing is kept of those */
    w->settings->requests_max = 2048;
}

/* Known or not, when there is no turn the words are the same; beyond a few of them HTTP says it. */
static void
who_gets_no_turn_comes_again(void **state)
{
    struct running *w = *state;
    CLEANUP(member_free) struct member m = running_member(w);
    CLEANUP(buf_free) struct buf dear = BUF_INIT(256);
    CLEANUP(heard_free) struct heard turn = {0};
    CLEANUP(heard_free) struct heard h = {0};
    CLEANUP(heard_free) struct heard unknown = {0};
    CLEANUP(heard_free) struct heard bare = {0};
    CLEANUP(heard_free) struct heard nobody = {0};
    CLEANUP(heard_free) struct heard sealed = {0};
    struct lane *lane = w->ra.lane;
    struct budget *refusals = w->ra.of_refusals;
    CLEANUP(budget_cleanup)
    struct budget *none =
        budget_new(&(struct budget_limit){.interval_us = INT64_C(3600000000), .burst = 1}, 1);
    struct err e = {0};

    assert_ok(cmp_client_pbmac1(NID_hmacWithSHA256, LANE_STEPS_MIN, NID_hmacWithSHA256, &dear, &e),
              &e);
    m.client.algorithm = buf_span(&dear);
    w->ra.lane = lane_new(w->ra.base, w->ra.tasks, 0, &e);
    assert_non_null(w->ra.lane);
    lane_stop(w->ra.lane);
    member_requests(&m, CMP_IR);
    h = running_post(w, buf_span(&m.message));
    assert_int_equal(h.status, 503);
    assert_true(heard_has(&h, "Retry-After: 1"));
    talking_is_error(&h, CMP_SYSTEM_UNAVAIL);
    tap_need("too many wait for keys of as many iterations");
    m.client.reference = "nobody";
    member_requests(&m, CMP_IR);
    unknown = running_post(w, buf_span(&m.message));
    assert_int_equal(unknown.status, 503);
    talking_is_error(&unknown, CMP_SYSTEM_UNAVAIL);
    w->ra.of_refusals = none;
    assert_int_equal(budget_take(none, span_of(NULL, 0), clock_monotonic_ms()), 0);
    bare = running_post(w, buf_span(&m.message));
    w->ra.of_refusals = refusals;
    talking_is_bare(&bare, "Retry-After: 1");
    lane_free(w->ra.lane);
    w->ra.lane = lane;
    m.client.reference = m.reference;
    member_requests(&m, CMP_IR);
    turn = running_post(w, buf_span(&m.message));
    assert_int_equal(turn.status, 200);
    assert_int_equal(talking_protection_of(turn.body), CMP_PROTECTION_MAC);
    tap_need("a key of 10001 steps");
    /* nobody's turn, which ends as a wrong MAC does, and one whose secret cannot be opened */
    m.client.reference = "nobody";
    member_requests(&m, CMP_IR);
    nobody = running_post(w, buf_span(&m.message));
    assert_int_equal(nobody.status, 200);
    talking_is_error(&nobody, CMP_BAD_MESSAGE_CHECK);
    m.client.reference = m.reference;
    running_sql(w, "UPDATE registration SET sealed = x'0102' WHERE id = ?",
                STORE_VALUES(store_text(m.id)));
    member_requests(&m, CMP_IR);
    sealed = running_post(w, buf_span(&m.message));
    talking_is_error(&sealed, CMP_SYSTEM_FAILURE);
}

/* Keys that cost much have places of their own: who waits for one keeps nobody from beginning. */
static void
who_waits_for_a_turn_keeps_nobody_out(void **state)
{
    struct running *w = *state;
    CLEANUP(member_free) struct member m = running_member(w);
    CLEANUP(buf_free) struct buf dear = BUF_INIT(256);
    CLEANUP(crowd_cleanup) struct crowd *one = crowd_new(1, CROWD_STAY);
    struct crowd *before = w->ra.beginning;
    struct crowd_place place = {0};
    struct running_task *task;
    struct gate *gate;
    struct talk t;
    struct err e = {0};

    assert_ok(cmp_client_pbmac1(NID_hmacWithSHA256, DEAR, NID_hmacWithSHA256, &dear, &e), &e);
    m.client.algorithm = buf_span(&dear);
    member_requests(&m, CMP_IR);
    t = running_cmp(w, "/.well-known/cmp", "Connection: close\r\n", buf_span(&m.message));
    w->ra.beginning = one;
    gate = running_all_known(w, &t, &task, 1); /* nobody derives its key meanwhile */
    while (crowd_enter(one, &place, clock_monotonic_ms()) != 0) {
        running_for(w, 1);
    }
    crowd_leave(one, &place, false, clock_monotonic_ms());
    running_release(w, gate);
    running_end(w, task);
    assert_int_equal(t.heard.status, 200);
    tap_need("a key of 50000 steps");
    running_settle(w);
    w->ra.beginning = before;
    talk_free(&t);
}

/* Nobody has got an answer to it: its sender goes on. Once an answer has left it is a copy. */
static void
what_is_signed_is_a_copy_once_it_is_answered(void **state)
{
    struct running *w = *state;
    CLEANUP(member_free) struct member m = running_member(w);
    CLEANUP(buf_free) struct buf kur = BUF_INIT(CMP_MESSAGE_MAX);
    struct err e = {0};
    int left;

    member_enrols(w, &m);
    m.client.certificate = m.certificate;
    member_requests(&m, CMP_KUR);
    assert_ok(buf_set(&kur, buf_span(&m.message), &e), &e);
    talking_hears(w, &m, CMP_KUP);
    left = talking_tokens_left(w, &m);
    assert_ok(buf_set(&m.message, buf_span(&kur), &e), &e);
    member_is_refused(w, &m, CMP_ERROR, CMP_TRANSACTION_ID_IN_USE, "transactionID");
    assert_true(talking_tokens_left(w, &m) >= left);
}

/* Between its judging and its place in the queue another one was faster. */
static void
of_two_certconfs_one_is_kept(void **state)
{
    struct running *w = *state;
    CLEANUP(member_free) struct member m = running_member(w);
    CLEANUP(cmp_client_answer_free) struct cmp_client_answer ip = {0};
    CLEANUP(cmp_client_answer_free) struct cmp_client_answer a = {0};
    CLEANUP(talk_free) struct talk t = {0};
    struct running_task *task;
    struct gate *gate;
    struct err e = {0};

    member_requests(&m, CMP_IR);
    ip = member_asks(w, &m);
    talking_confirms(&m, &ip.certificate, true);
    t = running_cmp(w, "/.well-known/cmp", "Connection: close\r\n", buf_span(&m.message));
    gate = running_all_known(w, &t, &task, 1);
    running_sql(w, "UPDATE enrolment SET state = 4 WHERE registration = ?",
                STORE_VALUES(store_text(m.id)));
    running_release(w, gate);
    running_end(w, task);
    assert_int_equal(t.heard.status, 200);
    assert_ok(cmp_client_read(&m.client, t.heard.body, NULL, &m.state, &a, &e), &e);
    assert_int_equal(a.body, CMP_ERROR);
    assert_int_equal(a.status.failures, 1U << CMP_CERT_CONFIRMED);
}

/* Both were judged before one of them had its place in the queue. */
static void
of_two_copies_at_once_one_is_a_copy(void **state)
{
    struct running *w = *state;
    CLEANUP(member_free) struct member m = running_member(w);
    struct talk t[2];
    struct running_task *task[2];
    struct gate *gate;
    size_t copies = 0;

    member_requests(&m, CMP_IR);
    for (int i = 0; i < 2; i++) {
        t[i] = running_cmp(w, "/.well-known/cmp", "Connection: close\r\n", buf_span(&m.message));
    }
    gate = running_all_known(w, t, task, 2);
    running_all_meet(w, gate);
    for (int i = 0; i < 2; i++) {
        CLEANUP(cmp_client_answer_free) struct cmp_client_answer a = {0};
        struct cmp_client_state s = m.state;
        struct err e = {0};

        running_end(w, task[i]);
        assert_int_equal(t[i].heard.status, 200);
        assert_ok(cmp_client_read(&m.client, t[i].heard.body, NULL, &s, &a, &e), &e);
        copies += a.body == CMP_ERROR && a.status.failures == 1U << CMP_TRANSACTION_ID_IN_USE;
    }
    talk_free(&t[0]);
    talk_free(&t[1]);
    assert_int_equal(copies, 1);
    assert_int_equal(w->asked[LINK_SUBMIT], 1);
    assert_int_equal(talking_tokens_left(w, &m), TALKING_BURST - 1);
}

/* RFC 9483 3.5: as long as the same octets would be fresh, and without a time as long as the secret
 * lives. */
static void
a_transaction_is_remembered_as_long_as_it_could_come_again(void **state)
{
    struct running *w = *state;
    const int64_t day = 86400;
    const int64_t kept = 7 * day + 2 * (int64_t)w->settings->message_time_window;
    const struct {
        const char *name;
        bool timed;
        int64_t not_after; /* of the registration, from now */
        int64_t until;
    } rows[] = {{"with a time", true, 60 * day, kept},
                {"without one", false, 60 * day, 60 * day},
                {"without one, soon over", false, day, kept}};

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(member_free) struct member m = running_member(w);
        CLEANUP(x509_name_cleanup) X509_NAME *name = NULL;
        CLEANUP(x509_name_cleanup) X509_NAME *subject = member_name();
        CLEANUP(buf_free) struct buf recipient = {0};
        CLEANUP(buf_free) struct buf body = BUF_INIT(CMP_MESSAGE_MAX);
        CLEANUP(heard_free) struct heard h = {0};
        const int64_t now = clock_now();
        struct cmp_header header;
        struct err e = {0};
        int64_t until;

        running_sql(w, "UPDATE registration SET not_after = ? WHERE id = ?",
                    STORE_VALUES(store_int(now + rows[i].not_after), store_text(m.id)));
        assert_ok(cmp_client_body_request(CMP_IR, m.key, subject, &body, &e), &e);
        assert_ok(cmp_header_first(&header, &e), &e);
        assert_ok(cmp_client_header(&m.client, &header, &name, &recipient, &e), &e);
        if (!rows[i].timed) {
            header.time = 0;
        }
        assert_ok(cmp_client_seal(&m.client, &header, buf_span(&body), &m.message, &e), &e);
        h = running_post(w, buf_span(&m.message));
        assert_int_equal(h.status, 200);
        until = running_number(w, "SELECT until FROM seen WHERE transaction_id = ?",
                               STORE_VALUES(store_blob(header.transaction_id))) -
                now;
        /* the clock may go on meanwhile */
        if (until < rows[i].until || until > rows[i].until + 60) {
            fail_msg("%s: %lld s", rows[i].name, (long long)until);
        }
    }
}

#define TEST(name) cmocka_unit_test_setup(name, running_reset)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(more_than_can_be_done_at_once_comes_again),
        TEST(who_gets_no_turn_comes_again),
        TEST(who_waits_for_a_turn_keeps_nobody_out),
        TEST(what_is_signed_is_a_copy_once_it_is_answered),
        TEST(of_two_certconfs_one_is_kept),
        TEST(of_two_copies_at_once_one_is_a_copy),
        TEST(a_transaction_is_remembered_as_long_as_it_could_come_again),
    };

    return cmocka_run_group_tests(tests, talking_setup, running_teardown);
}
