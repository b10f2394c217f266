/* SPDX-License-Identifier: Apache-2.0 */
/* What comes again, for it was not answered; and what cannot be. */
#include "ra/transaction/reply.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/ossl.h"
#include "ca/cmp/message/body.h"
#include "pkcs11/client/pool.h"
#include "tests/support/kill.h"
#include "tests/unit/ra/transaction/talking.h"

/* ---- a CA that ---- */

/* And from then on nobody could verify what the RA signs. */
static void
says_nothing_and_is_not_trusted(struct running *w, link_peer peer, const struct link_message *m)
{
    if (m->type == LINK_SUBMIT) {
        w->ra.own.refused_until = clock_now() + 1000;
    }
    talking_says_nothing(w, peer, m);
}

/* ---- what comes again ---- */

/* Nobody could have verified its first answer, so none left: its sender goes on, and pays once. */
static void
what_is_signed_goes_on_when_it_was_not_answered(void **state)
{
    struct running *w = *state;
    CLEANUP(member_free) struct member m = talking_signer(w);
    CLEANUP(talk_free) struct talk t = {0};
    CLEANUP(buf_free) struct buf kur = BUF_INIT(CMP_MESSAGE_MAX);
    struct running_task *task;
    struct cmp_client_state first;
    struct err e = {0};
    const int before = talking_tokens_left(w, &m);

    w->ca_does = says_nothing_and_is_not_trusted;
    w->settings->sync_wait = RUNNING_SIGNED_WAIT_MS;
    member_requests(&m, CMP_KUR);
    assert_ok(buf_set(&kur, buf_span(&m.message), &e), &e);
    first = m.state;
    t = running_cmp(w, "/.well-known/cmp", "Connection: close\r\n", buf_span(&m.message));
    task = running_begin(w, talk_run, &t);
    running_until(w, running_is_submitted);
    running_end(w, task);
    talking_is_bare(&t.heard, "Retry-After: 60");
    w->ra.own.refused_until = 0;
    assert_int_equal(talking_tokens_left(w, &m), before - 1);
    talking_polls(&m, 0); /* none of our nonces is known */
    talking_hears(w, &m, CMP_POLLREP);
    assert_int_equal(m.state.recip_nonce_size, CMP_NONCE_SIZE);
    running_sql(w, "UPDATE enrolment SET nonce = NULL WHERE registration = ?",
                STORE_VALUES(store_text(m.id)));
    assert_ok(buf_set(&m.message, buf_span(&kur), &e), &e);
    m.state = first;
    talking_hears_waiting(w, &m, CMP_KUP);
    assert_int_equal(talking_tokens_left(w, &m), before - 1);
    assert_int_equal(w->asked[LINK_SUBMIT], 1);
    m.state = first;
    member_is_refused(w, &m, CMP_ERROR, CMP_TRANSACTION_ID_IN_USE, "transactionID");
    assert_int_equal(talking_tokens_left(w, &m), before - 1);
}

/* The CA has it by now, but nobody could have verified the pkiConf. */
static void
a_pkiconf_that_never_left_is_sent_again(void **state)
{
    struct running *w = *state;
    CLEANUP(member_free) struct member m = talking_signer(w);
    CLEANUP(cmp_client_answer_free) struct cmp_client_answer kup = {0};
    CLEANUP(talk_free) struct talk t = {0};
    struct running_task *task;
    uint8_t rid[LINK_RID_SIZE];

    member_requests(&m, CMP_KUR);
    kup = member_asks(w, &m);
    assert_int_equal(kup.body, CMP_KUP);
    w->ca_does = says_nothing_and_is_not_trusted;
    w->settings->sync_wait = RUNNING_SIGNED_WAIT_MS;
    w->asked[LINK_SUBMIT] = 0;
    talking_confirms(&m, &kup.certificate, true);
    t = running_cmp(w, "/.well-known/cmp", "Connection: close\r\n", buf_span(&m.message));
    task = running_begin(w, talk_run, &t);
    running_until(w, running_is_submitted);
    memcpy(rid, w->last_id, sizeof(rid));
    running_end(w, task);
    talking_is_bare(&t.heard, "Retry-After: 60");
    running_ca_says(
        w, &(struct link_message){.type = LINK_CONFIRMED, .id = span_of(rid, sizeof(rid))});
    talking_becomes(w, &m, REQUESTS_CONFIRMED);
    w->ra.own.refused_until = 0;
    talking_hears(w, &m, CMP_PKICONF);
}

/* Too old to be anybody's fresh copy: that is said, and not that its transactionID is in use. */
static void
a_copy_that_is_not_of_now_is_too_old(void **state)
{
    struct running *w = *state;
    CLEANUP(member_free) struct member m = running_member(w);
    const int window = w->settings->message_time_window;
    const int behind = w->ra.behind_s;

    m.client.time = clock_now() - 100;
    member_requests(&m, CMP_IR);
    talking_hears(w, &m, CMP_IP);
    w->settings->message_time_window = 10;
    w->ra.behind_s = 10;
    m.state.recip_nonce_size = 0;
    member_is_refused(w, &m, CMP_ERROR, CMP_BAD_TIME, "messageTime is");
    w->settings->message_time_window = window;
    w->ra.behind_s = behind;
}

/* ---- what cannot be answered ---- */

/* Its answer was lost, as far as ra.db knows. */
static void
is_answered(struct running *w, struct member *m)
{
    const bool is_signer = m->client.certificate != NULL;

    member_requests(m, is_signer ? CMP_KUR : CMP_IR);
    talking_hears(w, m, is_signer ? CMP_KUP : CMP_IP);
    running_sql(w, "UPDATE enrolment SET state = 1 WHERE id = (SELECT max(id) FROM enrolment)",
                STORE_NO_VALUES);
    talking_polls(m, 0);
}

/* What says so has a MAC or is signed, as the answer would be. */
static void
an_answer_that_cannot_be_made_is_a_failure_of_ours(void **state)
{
    struct running *w = *state;
    CLEANUP(member_free) struct member m = running_member(w);
    CLEANUP(member_free) struct member n = talking_signer(w);
    struct member *const members[] = {&m, &n};

    for (size_t i = 0; i < ARRAY_LEN(members); i++) {
        is_answered(w, members[i]);
        running_sql(w,
                    "UPDATE issued SET certificate = x'00' WHERE enrolment IN (SELECT id FROM "
                    "enrolment WHERE registration = ?)",
                    STORE_VALUES(store_text(members[i]->id)));
        tap_mark();
        talking_is_our_failure(w, members[i]);
    }
}

/* It was made, but what must be kept of it cannot be: it does not leave, and nothing is kept. */
static void
an_answer_that_cannot_be_kept_is_a_failure_of_ours(void **state)
{
    struct running *w = *state;
    CLEANUP(member_free) struct member m = running_member(w);
    CLEANUP(member_free) struct member n = talking_signer(w);
    struct member *const members[] = {&m, &n};

    for (size_t i = 0; i < ARRAY_LEN(members); i++) {
        struct cmp_client_state before;

        is_answered(w, members[i]);
        before = members[i]->state;
        running_sql(w,
                    "CREATE TRIGGER no BEFORE UPDATE OF state ON enrolment BEGIN SELECT "
                    "RAISE(ABORT, 'no'); END",
                    STORE_NO_VALUES);
        tap_mark();
        talking_is_our_failure(w, members[i]);
        running_sql(w, "DROP TRIGGER no", STORE_NO_VALUES);
        assert_int_equal(talking_last_number(w, members[i], TALKING_LAST("state")),
                         REQUESTS_ANSWERED);
        assert_int_equal(talking_last_number(w, members[i], TALKING_LAST("nonce_before IS NULL")),
                         1);
        members[i]->state = before;
        talking_hears(w, members[i], i == 0 ? CMP_IP : CMP_KUP); /* the same poll */
    }
}

/* The first of the numbers is a failInfo, too. */
static void
a_refusal_with_the_failinfo_0_is_one(void **state)
{
    struct running *w = *state;
    CLEANUP(member_free) struct member m = running_member(w);

    w->ca_does = talking_says_nothing;
    w->settings->sync_wait = TALKING_WAIT_MS;
    member_requests(&m, CMP_IR);
    talking_hears_waiting(w, &m, CMP_IP);
    running_sql(
        w, "UPDATE enrolment SET state = 5, fail_info = 0, phrase = '?' WHERE registration = ?",
        STORE_VALUES(store_text(m.id)));
    talking_polls(&m, 0);
    member_is_refused(w, &m, CMP_IP, CMP_BAD_ALG, "?");
}

/* What is signed is tried again as long as its sender may wait, and then leaves nothing behind. */
static void
a_signer_that_dies_is_waited_for(void **state)
{
    struct running *w = *state;
    CLEANUP(member_free) struct member m = talking_signer(w);
    CLEANUP(mem_cleanup) char *elsewhere = mem_printf("%s.gone", w->settings->signers[0]);
    CLEANUP(heard_free) struct heard h = {0};
    const int before = talking_tokens_left(w, &m);

    assert_int_equal(rename(w->settings->signers[0], elsewhere), 0);
    assert_int_equal(test_kill(signer_pid(signer_pool_first(w->ra.signers)), SIGKILL), 0);
    w->settings->sync_wait = 300;
    member_requests(&m, CMP_KUR);
    h = running_post(w, buf_span(&m.message));
    talking_is_bare(&h, "Retry-After: 5");
    assert_int_equal(talking_tokens_left(w, &m), before);
    assert_int_equal(rename(elsewhere, w->settings->signers[0]), 0);
    w->settings->sync_wait = 60000;
    talking_hears(w, &m, CMP_KUP); /* when it is started again */
    assert_int_equal(talking_tokens_left(w, &m), before - 1);
}

/* Kept for its polls, but nobody could sign that it waits: it goes on as if it came first. */
static void
a_question_that_waits_goes_on_when_it_was_not_answered(void **state)
{
    struct running *w = *state;
    CLEANUP(member_free) struct member m = talking_signer(w);
    CLEANUP(mem_cleanup) char *elsewhere = mem_printf("%s.gone", w->settings->signers[0]);
    CLEANUP(cmp_client_answer_free) struct cmp_client_answer a = {0};
    struct err e = {0};
    int status = 0;

    assert_int_equal(rename(w->settings->signers[0], elsewhere), 0);
    assert_int_equal(test_kill(signer_pid(signer_pool_first(w->ra.signers)), SIGKILL), 0);
    talking_asks(&m, TALKING_CURRENT_CRL);
    for (int i = 0; i < 100 && status != 200; i++) {
        CLEANUP(heard_free) struct heard h = running_post(w, buf_span(&m.message));

        status = h.status;
        if (i == 0) {
            talking_is_bare(&h, "Retry-After: 5");
            assert_int_equal(rename(elsewhere, w->settings->signers[0]), 0);
        } else if (status == 200) {
            assert_ok(cmp_client_read(&m.client, h.body, NULL, &m.state, &a, &e), &e);
        } else {
            running_for(w, 100); /* it is started again after a pause */
        }
    }
    assert_int_equal(a.body, CMP_ERROR);
    assert_int_equal(a.status.status, CMP_WAITING);
}

/* Nobody has seen anything of it; when that cannot be written the RA ends. */
static void
what_cannot_be_forgotten_either(void **state)
{
    struct running *w = *state;
    CLEANUP(member_free) struct member m = talking_signer(w);
    CLEANUP(mem_cleanup) char *elsewhere = mem_printf("%s.gone", w->settings->signers[0]);
    static const struct {
        const char *trigger;
        bool fails;
    } rows[] = {
        {"CREATE TRIGGER kept BEFORE DELETE ON seen BEGIN SELECT RAISE(ABORT, 'no'); END", false},
        {"CREATE TRIGGER kept BEFORE DELETE ON seen BEGIN DELETE FROM nowhere; END", true},
    };

    assert_int_equal(rename(w->settings->signers[0], elsewhere), 0);
    assert_int_equal(test_kill(signer_pid(signer_pool_first(w->ra.signers)), SIGKILL), 0);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(heard_free) struct heard h = {0};

        talking_asks(&m, TALKING_CA_CERTS);
        running_sql(w, rows[i].trigger, STORE_NO_VALUES);
        h = running_post(w, buf_span(&m.message));
        running_sql(w, "DROP TRIGGER kept", STORE_NO_VALUES);
        talking_is_bare(&h, "Retry-After: 5");
        assert_int_equal(w->ra.failed, rows[i].fails);
        w->ra.failed = false;
    }
    assert_int_equal(rename(elsewhere, w->settings->signers[0]), 0);
}

#define TEST(name) cmocka_unit_test_setup(name, running_reset)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_is_signed_goes_on_when_it_was_not_answered),
        TEST(a_pkiconf_that_never_left_is_sent_again),
        TEST(a_copy_that_is_not_of_now_is_too_old),
        TEST(an_answer_that_cannot_be_made_is_a_failure_of_ours),
        TEST(an_answer_that_cannot_be_kept_is_a_failure_of_ours),
        TEST(a_refusal_with_the_failinfo_0_is_one),
        TEST(a_signer_that_dies_is_waited_for),
        TEST(a_question_that_waits_goes_on_when_it_was_not_answered),
        TEST(what_cannot_be_forgotten_either),
    };

    return cmocka_run_group_tests(tests, talking_setup, running_teardown);
}
