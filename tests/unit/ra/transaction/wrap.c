/* SPDX-License-Identifier: Apache-2.0 */
/* One signature for all that was admitted together; and what becomes of it when nobody signs. */
#include "ra/transaction/wrap.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/ossl.h"
#include "ca/cmp/queue.h"
#include "pkcs11/client/pool.h"
#include "tests/support/kill.h"
#include "tests/unit/ra/transaction/talking.h"

enum { MANY = 24 };

/* ---- what a test wants to know ---- */

static void
hears(struct running *w, struct member *m, enum cmp_body body, enum cmp_status status)
{
    CLEANUP(cmp_client_answer_free) struct cmp_client_answer a = member_asks(w, m);

    if (a.body != body || a.status.status != status) {
        fail_msg("%s %d \"%s\"", cmp_body_name(a.body), (int)a.status.status, a.status.text);
    }
}

static void
is_bare(struct running *w, struct member *m)
{
    CLEANUP(heard_free) struct heard h = running_post(w, buf_span(&m->message));

    assert_int_equal(h.status, 503);
    assert_int_equal(h.body.n, 0);
    assert_true(heard_has(&h, "Retry-After: 5"));
}

static void
stop(struct running *w)
{
    w->settings->sync_wait = TALKING_WAIT_MS;
    assert_int_equal(test_kill(signer_pid(signer_pool_first(w->ra.signers)), SIGSTOP), 0);
}

static void
resume(struct running *w)
{
    w->settings->sync_wait = 60000;
    assert_int_equal(test_kill(signer_pid(signer_pool_first(w->ra.signers)), SIGCONT), 0);
    running_settle(w);
}

static int64_t
rows_of(struct running *w, const struct member *m)
{
    return running_number(w,
                          "SELECT count(rid) + count(confirmation) FROM enrolment WHERE "
                          "registration = ?",
                          STORE_VALUES(store_text(m->id)));
}

/* ---- one signature ---- */

static void
what_comes_at_once_is_signed_once(void **state)
{
    struct running *w = *state;
    struct member m[MANY];
    struct talk talks[MANY];
    struct running_task *tasks[MANY];
    const uint64_t attempts = signer_attempts(signer_pool_first(w->ra.signers));
    struct gate *gate;
    uint64_t made;

    for (size_t i = 0; i < MANY; i++) {
        m[i] = running_member(w);
        member_requests(&m[i], CMP_IR);
        talks[i] =
            running_cmp(w, "/.well-known/cmp", "Connection: close\r\n", buf_span(&m[i].message));
    }
    gate = running_all_known(w, talks, tasks, MANY);
    running_all_meet(w, gate);
    for (size_t i = 0; i < MANY; i++) {
        running_end(w, tasks[i]);
    }
    made = signer_attempts(signer_pool_first(w->ra.signers)) - attempts;
    /* what came first went ahead, the others gathered behind it */
    assert_true(made >= 1 && made <= 2);
    assert_int_equal(w->asked[LINK_SUBMIT], MANY);
    for (size_t i = 0; i < MANY; i++) {
        CLEANUP(cmp_client_answer_free) struct cmp_client_answer a = {0};
        struct err e = {0};

        assert_int_equal(talks[i].heard.status, 200);
        assert_ok(cmp_client_read(&m[i].client, talks[i].heard.body, NULL, &m[i].state, &a, &e),
                  &e);
        assert_int_equal(a.body, CMP_IP);
        assert_int_equal(a.status.status, CMP_ACCEPTED);
        talk_free(&talks[i]);
        member_free(&m[i]);
    }
}

/* Of several at once one that cannot be admitted is not under the head; the others are. */
static void
a_copy_among_others_has_no_place(void **state)
{
    struct running *w = *state;
    CLEANUP(member_free) struct member m = running_member(w);
    CLEANUP(member_free) struct member n = running_member(w);
    struct talk talks[3];
    struct running_task *tasks[3];
    struct gate *gate;
    size_t copies = 0;
    struct err e = {0};

    member_requests(&m, CMP_IR);
    member_requests(&n, CMP_IR);
    for (size_t i = 0; i < 3; i++) {
        talks[i] = running_cmp(w, "/.well-known/cmp", "Connection: close\r\n",
                               buf_span(i == 2 ? &n.message : &m.message));
    }
    gate = running_all_known(w, talks, tasks, 3);
    running_all_meet(w, gate);
    for (size_t i = 0; i < 3; i++) {
        struct cmp_client_state s = i == 2 ? n.state : m.state;
        CLEANUP(cmp_client_answer_free) struct cmp_client_answer a = {0};

        running_end(w, tasks[i]);
        assert_ok(
            cmp_client_read(i == 2 ? &n.client : &m.client, talks[i].heard.body, NULL, &s, &a, &e),
            &e);
        copies += a.body == CMP_ERROR;
        talk_free(&talks[i]);
    }
    assert_int_equal(copies, 1);
    assert_int_equal(w->asked[LINK_SUBMIT], 2);
    assert_ok(running_chain(w, &e), &e);
}

/* The rows and their head are one operation. */
static void
without_a_head_nothing_is_admitted(void **state)
{
    struct running *w = *state;
    CLEANUP(member_free) struct member m = running_member(w);
    CLEANUP(heard_free) struct heard h = {0};

    running_sql(w, "CREATE TRIGGER no BEFORE INSERT ON head BEGIN SELECT RAISE(ABORT, 'no'); END",
                STORE_NO_VALUES);
    member_requests(&m, CMP_IR);
    h = running_post(w, buf_span(&m.message));
    running_sql(w, "DROP TRIGGER no", STORE_NO_VALUES);
    assert_int_equal(h.status, 503);
    tap_need("\"no-answer\"");
    assert_false(w->ra.failed);
    assert_int_equal(rows_of(w, &m), 0);
    hears(w, &m, CMP_IP, CMP_ACCEPTED); /* the same octets: nothing of them is left */
}

/* ---- nobody signs ---- */

/* It is in the queue, and goes when somebody signs. */
static void
what_has_a_mac_waits_in_the_queue(void **state)
{
    struct running *w = *state;
    CLEANUP(member_free) struct member m = running_member(w);

    stop(w);
    member_requests(&m, CMP_IR);
    hears(w, &m, CMP_IP, CMP_WAITING);
    assert_int_equal(rows_of(w, &m), 1);
    assert_int_equal(running_state(w, &m), REQUESTS_QUEUED);
    assert_int_equal(w->asked[LINK_SUBMIT], 0);
    resume(w);
    running_becomes(w, &m, REQUESTS_ANSWERED);
    assert_int_equal(w->asked[LINK_SUBMIT], 1);
}

/* The registration has one certificate: it must not be used up by what nobody was told of. */
static void
what_is_signed_and_asks_for_a_certificate_leaves_nothing(void **state)
{
    struct running *w = *state;
    CLEANUP(member_free) struct member m = talking_signer(w);
    const int tokens = talking_tokens_left(w, &m);
    const int64_t rows = rows_of(w, &m);
    const int64_t used = running_number(w, "SELECT used FROM registration WHERE id = ?",
                                        STORE_VALUES(store_text(m.id)));
    CLEANUP(buf_free) struct buf first = BUF_INIT(CMP_MESSAGE_MAX);
    struct err e = {0};

    for (int another = 0; another < 2; another++) {
        stop(w);
        member_requests(&m, CMP_KUR);
        assert_ok(buf_set(&first, buf_span(&m.message), &e), &e);
        w->asked[LINK_SUBMIT] = 0;
        is_bare(w, &m);
        tap_need("the signer does not answer");
        assert_int_equal(talking_tokens_left(w, &m), tokens - (another == 0 ? 0 : 1));
        assert_int_equal(rows_of(w, &m), rows + (another == 0 ? 0 : 1));
        assert_int_equal(running_number(w, "SELECT used FROM registration WHERE id = ?",
                                        STORE_VALUES(store_text(m.id))),
                         used);
        resume(w);
        running_for(w, 1200); /* whoever looks at the queue has looked: the head is signed by now */
        assert_int_equal(w->asked[LINK_SUBMIT], 0);
        if (another == 1) {
            member_requests(&m, CMP_KUR); /* in a new transaction */
        }
        hears(w, &m, CMP_KUP, CMP_ACCEPTED);
        assert_ok(running_chain(w, &e), &e);
    }
}

/* Its copy was to hear "waiting", which is not true any more when that is signed. */
static void
a_copy_of_what_is_withdrawn_is_not_told_to_wait(void **state)
{
    struct running *w = *state;
    CLEANUP(member_free) struct member m = talking_signer(w);
    CLEANUP(talk_free) struct talk first = {0};
    CLEANUP(talk_free) struct talk copy = {0};
    struct running_task *tasks[2];

    stop(w);
    w->settings->sync_wait = RUNNING_SIGNED_WAIT_MS;
    member_requests(&m, CMP_KUR);
    first = running_cmp(w, "/.well-known/cmp", "Connection: close\r\n", buf_span(&m.message));
    copy = running_cmp(w, "/.well-known/cmp", "Connection: close\r\n", buf_span(&m.message));
    tasks[0] = running_begin(w, talk_run, &first);
    while (rows_of(w, &m) < 3) { /* ir and certConf before it */
        running_for(w, 1);
    }
    tasks[1] = running_begin(w, talk_run, &copy);
    running_end(w, tasks[0]);
    assert_int_equal(first.heard.status, 503);
    resume(w);
    running_end(w, tasks[1]);
    assert_int_equal(copy.heard.status, 503);
    tap_need("the request was withdrawn meanwhile");
    hears(w, &m, CMP_KUP, CMP_ACCEPTED);
}

/* Nor is one refused that came while it was there: it may come again, as the first may. */
static void
a_copy_of_what_was_withdrawn_meanwhile_may_come_again(void **state)
{
    struct running *w = *state;
    CLEANUP(member_free) struct member m = talking_signer(w);
    CLEANUP(talk_free) struct talk first = {0};
    CLEANUP(talk_free) struct talk copy = {0};
    struct running_task *tasks[2];
    struct gate *gate;

    stop(w);
    w->settings->sync_wait = RUNNING_SIGNED_WAIT_MS;
    member_requests(&m, CMP_KUR);
    first = running_cmp(w, "/.well-known/cmp", "Connection: close\r\n", buf_span(&m.message));
    copy = running_cmp(w, "/.well-known/cmp", "Connection: close\r\n", buf_span(&m.message));
    tasks[0] = running_begin(w, talk_run, &first);
    while (rows_of(w, &m) < 3) { /* ir and certConf before it */
        running_for(w, 1);
    }
    gate = running_all_known(w, &copy, &tasks[1], 1);
    running_end(w, tasks[0]);
    assert_int_equal(first.heard.status, 503);
    w->settings->sync_wait = 60000;
    assert_int_equal(test_kill(signer_pid(signer_pool_first(w->ra.signers)), SIGCONT), 0);
    running_release(w, gate);
    running_end(w, tasks[1]);
    assert_int_equal(copy.heard.status, 503);
    tap_need("the request was withdrawn meanwhile");
    talking_hears(w, &m, CMP_KUP);
}

/* An rr is what its client wants done: it stays, and the same octets hear what became of it. */
static void
what_is_signed_and_wants_something_done_stays(void **state)
{
    struct running *w = *state;
    CLEANUP(member_free) struct member m = talking_signer(w);
    const int64_t rows = rows_of(w, &m);
    struct err e = {0};

    stop(w);
    assert_ok(cmp_client_rr(&m.client, m.certificate, 1, &m.state, &m.message, &e), &e);
    is_bare(w, &m);
    assert_int_equal(rows_of(w, &m), rows + 1);
    w->asked[LINK_SUBMIT] = 0;
    resume(w);
    running_until(w, running_is_submitted); /* of itself */
    running_settle(w);
    hears(w, &m, CMP_RP, CMP_ACCEPTED);
    assert_int_equal(w->asked[LINK_SUBMIT], 1);
}

static void
a_certconf_that_is_signed_stays(void **state)
{
    struct running *w = *state;
    CLEANUP(member_free) struct member m = talking_signer(w);
    CLEANUP(cmp_client_answer_free) struct cmp_client_answer kup = {0};
    CLEANUP(x509_cleanup) X509 *certificate = NULL;
    struct cmp_client_state before;
    struct err e = {0};

    member_requests(&m, CMP_KUR);
    kup = member_asks(w, &m);
    certificate = certificate_parse(buf_span(&kup.certificate), &e);
    assert_non_null(certificate);
    assert_ok(cmp_client_certconf(&m.client, certificate, true, &m.state, &m.message, &e), &e);
    before = m.state;
    stop(w);
    w->asked[LINK_SUBMIT] = 0;
    is_bare(w, &m);
    resume(w);
    running_until(w, running_is_submitted);
    running_settle(w);
    m.state = before;
    hears(w, &m, CMP_PKICONF, CMP_ACCEPTED);
    assert_int_equal(w->asked[LINK_SUBMIT], 1);
}

/* After a kill, say: what is signed is what was committed, octet for octet, however late. */
static void
what_is_signed_is_what_was_committed(void **state)
{
    struct running *w = *state;
    CLEANUP(member_free) struct member m = running_member(w);
    CLEANUP(buf_free) struct buf text = BUF_INIT(QUEUE_HEAD_TEXT_MAX);
    CLEANUP(buf_free) struct buf entry = BUF_INIT(CMP_QUEUE_ENTRY_MAX);
    struct cmp_submission s;
    struct err e = {0};

    stop(w);
    member_requests(&m, CMP_IR);
    hears(w, &m, CMP_IP, CMP_WAITING);
    running_blob(w, "SELECT text FROM head ORDER BY first DESC LIMIT 1", STORE_NO_VALUES, &text);
    running_blob(w, "SELECT entry FROM queue ORDER BY sequence DESC LIMIT 1", STORE_NO_VALUES,
                 &entry);
    resume(w);
    running_until(w, running_is_submitted);
    running_settle(w);
    assert_ok(cmp_submission_decode(buf_span(&w->last), &s, &e), &e);
    assert_true(span_equal(s.head, buf_span(&text)));
    assert_true(span_equal(s.entry, buf_span(&entry)));
    assert_true(span_equal(s.message, buf_span(&m.message)));
    assert_true(span_equal(s.certificate, buf_span(&w->ra.credentials.certificate_der)));
}

#define TEST(name) cmocka_unit_test_setup(name, running_reset)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_comes_at_once_is_signed_once),
        TEST(a_copy_among_others_has_no_place),
        TEST(without_a_head_nothing_is_admitted),
        TEST(what_has_a_mac_waits_in_the_queue),
        TEST(what_is_signed_and_asks_for_a_certificate_leaves_nothing),
        TEST(a_copy_of_what_is_withdrawn_is_not_told_to_wait),
        TEST(a_copy_of_what_was_withdrawn_meanwhile_may_come_again),
        TEST(what_is_signed_and_wants_something_done_stays),
        TEST(a_certconf_that_is_signed_stays),
        TEST(what_is_signed_is_what_was_committed),
    };

    return cmocka_run_group_tests(tests, talking_setup, running_teardown);
}
