/* SPDX-License-Identifier: Apache-2.0 */
/* Polls, certConf, error: what a transaction hears in each of its states. */
#include "ra/transaction/transaction.h"

#include <string.h>

#include "base/http/http.h"
#include "base/ossl.h"
#include "ca/cmp/message/body.h"
#include "tests/unit/ra/transaction/talking.h"

/* ---- what a test wants to know ---- */

struct look {
    struct store_op op;
    struct span rid;
    int64_t id;
    struct requests_asked asked;
};

static int
look_run(struct store_op *op, struct store_db *db, struct err *e)
{
    struct look *l = CONTAINER_OF(op, struct look, op);

    return requests_asked_find(db, l->rid, l->id, &l->asked, e);
}

/* What ra.db has of the enrolment that this message began; requests_enrolment_clear() it. */
static struct requests_enrolment
enrolment_of(struct running *w, const struct member *m)
{
    uint8_t rid[SHA256_SIZE] = {0};
    struct look l = {.op.run = look_run, .rid = span_of(rid, sizeof(rid))};
    struct err e = {0};

    assert_ok(sha256(buf_span(&m->message), rid, &e), &e);
    l.id = running_number(w, "SELECT id FROM enrolment WHERE rid = ?",
                          STORE_VALUES(store_blob(l.rid)));
    assert_ok(store_call(w->ra.store, &l.op, &e), &e);
    buf_free(&l.asked.target);
    return l.asked.enrolment;
}

/* ---- a CA that ---- */

static void
refuses(struct running *w, link_peer peer, const struct link_message *m)
{
    const struct link_message refused = {.type = LINK_REFUSED,
                                         .id = m->id,
                                         .fail_info = CMP_DUPLICATE_CERT_REQ,
                                         .phrase = span_str("not by this CA")};

    if (m->type == LINK_SUBMIT) {
        link_server_answer(w->ca, peer, &refused);
    } else {
        running_ca_does(w, peer, m);
    }
}

/* ---- waiting and polls ---- */

static void
who_waits_polls_until_it_is_there(void **state)
{
    struct running *w = *state;
    CLEANUP(member_free) struct member m = running_member(w);
    CLEANUP(cmp_client_answer_free) struct cmp_client_answer poll = {0};
    CLEANUP(cmp_client_answer_free) struct cmp_client_answer away = {0};
    CLEANUP(cmp_client_answer_free) struct cmp_client_answer ip = {0};
    CLEANUP(buf_free) struct buf certificate = {0};
    struct link_message issued = {.type = LINK_ISSUED};
    uint8_t rid[LINK_RID_SIZE];

    w->ca_does = talking_says_nothing;
    w->settings->sync_wait = TALKING_WAIT_MS;
    member_requests(&m, CMP_IR);
    talking_hears_waiting(w, &m, CMP_IP);
    running_until(w, running_is_submitted);
    talking_polls(&m, 0);
    poll = member_asks(w, &m);
    assert_int_equal(poll.body, CMP_POLLREP);
    assert_int_equal(poll.check_after, 1);
    assert_string_equal(poll.status.text, "");
    certificate = running_ca_issues(w, buf_span(&w->last));
    memcpy(rid, w->last_id, sizeof(rid));
    running_ca_goes(w);
    running_until(w, running_is_down);
    talking_polls(&m, 0);
    away = member_asks(w, &m);
    assert_int_equal(away.check_after, 5);
    w->asked[LINK_SUBMIT] = 0;
    running_ca_comes(w);
    running_until(w, running_is_submitted); /* again */
    issued.id = span_of(rid, sizeof(rid));
    issued.body = buf_span(&certificate);
    running_ca_says(w, &issued);
    running_becomes(w, &m, REQUESTS_ANSWERED);
    talking_polls(&m, 0);
    ip = member_asks(w, &m);
    assert_int_equal(ip.body, CMP_IP);
    assert_true(span_equal(buf_span(&ip.certificate), buf_span(&certificate)));
    talking_confirms(&m, &ip.certificate, true);
    w->ca_does = NULL;
    talking_hears(w, &m, CMP_PKICONF);
}

static void
what_the_ca_says_of_waiting_is_what_a_poll_hears(void **state)
{
    struct running *w = *state;
    CLEANUP(member_free) struct member m = running_member(w);
    CLEANUP(cmp_client_answer_free) struct cmp_client_answer poll = {0};

    w->ca_does = talking_waits;
    member_requests(&m, CMP_IR);
    talking_hears_waiting(w, &m, CMP_IP);
    talking_polls(&m, 0);
    poll = member_asks(w, &m);
    assert_int_equal(poll.body, CMP_POLLREP);
    assert_int_equal(poll.check_after, 4711);
    w->ca_does = NULL;
}

/* Beyond half of the time after which an idle connection is closed. */
static void
who_comes_back_late_is_told_to_make_a_new_connection(void **state)
{
    struct running *w = *state;
    CLEANUP(member_free) struct member m = running_member(w);
    const struct {
        int check_after;
        bool closes;
    } rows[] = {{0, false},
                {HTTP_IDLE_TIMEOUT_MS / 1000 / 2 - 1, false},
                {HTTP_IDLE_TIMEOUT_MS / 1000 / 2, true}};

    w->ca_does = talking_waits;
    member_requests(&m, CMP_IR);
    talking_hears_waiting(w, &m, CMP_IP);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(talk_free) struct talk t = {0};

        running_sql(w, "UPDATE enrolment SET check_after = ? WHERE registration = ?",
                    STORE_VALUES(store_int(rows[i].check_after), store_text(m.id)));
        talking_polls(&m, 0);
        t = running_cmp(w, "/.well-known/cmp", "", buf_span(&m.message));
        t.keeps_alive = true;
        running_do(w, talk_run, &t);
        assert_int_equal(t.heard.status, 200);
        m.state.recip_nonce_size = 0; /* of an answer that was not read */
        if (heard_has(&t.heard, "Connection: close") != rows[i].closes) {
            fail_msg("checkAfter %d", rows[i].check_after);
        }
    }
}

static void
a_certconf_is_answered_as_soon_as_it_is_kept(void **state)
{
    struct running *w = *state;
    CLEANUP(member_free) struct member m = running_member(w);
    CLEANUP(cmp_client_answer_free) struct cmp_client_answer ip = {0};
    CLEANUP(requests_enrolment_clear) struct requests_enrolment x = {0};
    CLEANUP(buf_free) struct buf first = BUF_INIT(CMP_MESSAGE_MAX);
    struct cmp_client_state before;
    struct err e = {0};

    member_requests(&m, CMP_IR);
    assert_ok(buf_set(&first, buf_span(&m.message), &e), &e);
    ip = member_asks(w, &m);
    w->ca_does = talking_says_nothing;
    w->settings->sync_wait = TALKING_WAIT_MS;
    talking_confirms(&m, &ip.certificate, true);
    before = m.state;
    talking_hears(w, &m, CMP_PKICONF);
    running_until(w, running_is_submitted);
    m.state = before; /* the pkiConf got lost: the same octets again */
    talking_hears(w, &m, CMP_PKICONF);
    talking_polls(&m, -1);
    talking_hears(w, &m, CMP_PKICONF);
    /* and now it says something else */
    talking_confirms(&m, &ip.certificate, false);
    member_is_refused(w, &m, CMP_ERROR, CMP_CERT_CONFIRMED, "");
    assert_ok(buf_set(&m.message, buf_span(&first), &e), &e);
    x = enrolment_of(w, &m);
    assert_int_equal(x.state, REQUESTS_CONFIRMING);
    assert_true(x.accepted);
}

static void
after_the_end_there_is_nothing_to_confirm(void **state)
{
    struct running *w = *state;
    CLEANUP(member_free) struct member m = running_member(w);
    CLEANUP(cmp_client_answer_free) struct cmp_client_answer ip = {0};
    struct cmp_client_state before;

    member_requests(&m, CMP_IR);
    ip = member_asks(w, &m);
    before = m.state;
    talking_confirms(&m, &ip.certificate, false);
    talking_hears(w, &m, CMP_PKICONF);
    m.state = before;
    talking_confirms(&m, &ip.certificate, false);
    member_is_refused(w, &m, CMP_ERROR, CMP_CERT_CONFIRMED, "");
    m.state.recip_nonce_size = 0; /* a refusal's is not kept */
    talking_polls(&m, 0);
    talking_hears(w, &m, CMP_PKICONF);
}

static void
a_refusal_of_the_ca_is_what_everybody_hears_of_it(void **state)
{
    struct running *w = *state;
    CLEANUP(member_free) struct member m = running_member(w);

    w->ca_does = refuses;
    member_requests(&m, CMP_IR);
    member_is_refused(w, &m, CMP_IP, CMP_DUPLICATE_CERT_REQ, "not by this CA");
    m.state.recip_nonce_size = 0; /* a refusal's is not kept */
    talking_polls(&m, 0);
    member_is_refused(w, &m, CMP_IP, CMP_DUPLICATE_CERT_REQ, "not by this CA");
    m.state.recip_nonce_size = 0;
    talking_polls(&m, -1); /* as if a certConf had been sent */
    member_is_refused(w, &m, CMP_ERROR, CMP_DUPLICATE_CERT_REQ, "not by this CA");
}

static void
an_error_of_the_client_ends_its_transaction(void **state)
{
    struct running *w = *state;
    CLEANUP(member_free) struct member m = running_member(w);
    CLEANUP(cmp_client_answer_free) struct cmp_client_answer ip = {0};
    CLEANUP(buf_free) struct buf body = BUF_INIT(CMP_MESSAGE_MAX);
    struct cmp_client_state before;
    struct err e = {0};

    member_requests(&m, CMP_IR);
    ip = member_asks(w, &m);
    before = m.state;
    assert_ok(cmp_body_error(CMP_BAD_CERT_TEMPLATE, "not what I want", &body, &e), &e);
    member_says(&m, false, buf_span(&body));
    talking_hears(w, &m, CMP_PKICONF);
    tap_need("not what I want");
    m.state = before;
    talking_confirms(&m, &ip.certificate, true);
    member_is_refused(w, &m, CMP_ERROR, CMP_CERT_CONFIRMED, "");
}

/* ---- whose transaction it is ---- */

static void
a_later_message_is_of_who_began_it_and_of_this_place_in_it(void **state)
{
    struct running *w = *state;
    CLEANUP(member_free) struct member m = running_member(w);
    CLEANUP(member_free) struct member other = running_member(w);
    CLEANUP(member_free) struct member signer = running_member(w);
    struct cmp_client_state there;
    CLEANUP(cmp_client_answer_free) struct cmp_client_answer a = {0};
    CLEANUP(cmp_client_answer_free) struct cmp_client_answer b = {0};

    member_enrols(w, &signer);
    signer.client.certificate = signer.certificate;
    w->ca_does = talking_waits;
    member_requests(&m, CMP_IR);
    talking_hears_waiting(w, &m, CMP_IP);
    there = m.state;
    other.state = there;
    talking_polls(&other, 0);
    member_is_refused(w, &other, CMP_ERROR, CMP_BAD_MESSAGE_CHECK,
                      "the transaction was begun with other credentials");
    signer.state = there;
    talking_polls(&signer, 0);
    member_is_refused(w, &signer, CMP_ERROR, CMP_WRONG_INTEGRITY,
                      "the transaction was begun with protection of another kind");
    m.state.transaction_id[0] ^= 1;
    talking_polls(&m, 0);
    member_is_refused(w, &m, CMP_ERROR, CMP_BAD_REQUEST, "pollReq without its transaction");
    m.state = there;
    m.state.recip_nonce[CMP_NONCE_SIZE - 1] ^= 1;
    talking_polls(&m, 0);
    member_is_refused(w, &m, CMP_ERROR, CMP_BAD_RECIPIENT_NONCE, "");
    m.state = there;
    talking_polls(&m, 1);
    member_is_refused(w, &m, CMP_ERROR, CMP_BAD_REQUEST, "pollReq is not for the one certReqId");
    /* The answer to a poll is lost: the nonce before the last is as good. */
    m.state = there;
    talking_polls(&m, 0);
    a = member_asks(w, &m);
    assert_int_equal(a.body, CMP_POLLREP);
    m.state = there;
    talking_polls(&m, 0);
    b = member_asks(w, &m);
    assert_int_equal(b.body, CMP_POLLREP);
}

/* Who knows none of our nonces polls without one, and what it hears moves nothing. */
static void
a_poll_without_a_nonce_leaves_the_nonces_as_they_are(void **state)
{
    struct running *w = *state;
    CLEANUP(member_free) struct member m = running_member(w);
    struct cmp_client_state there;

    w->ca_does = talking_waits;
    member_requests(&m, CMP_IR);
    talking_hears_waiting(w, &m, CMP_IP);
    there = m.state;
    for (int i = 0; i < 3; i++) {
        m.state.recip_nonce_size = 0;
        talking_polls(&m, 0);
        talking_hears(w, &m, CMP_POLLREP);
        assert_int_equal(m.state.recip_nonce_size, there.recip_nonce_size);
        assert_memory_equal(m.state.recip_nonce, there.recip_nonce, there.recip_nonce_size);
    }
    talking_polls(&m, 0); /* with the nonce it is another one */
    talking_hears(w, &m, CMP_POLLREP);
    assert_memory_not_equal(m.state.recip_nonce, there.recip_nonce, there.recip_nonce_size);
}

/* ---- each state ---- */

/* A poll for the request (0), or for what follows a certConf (-1), in each state. */
static void
each_state_has_its_answer(void **state)
{
    struct running *w = *state;
    static const struct {
        const char *name;
        enum requests_state state;
        bool implicit;
        int fail_info; /* -1: none */
        int poll;
        enum cmp_body body;
    } rows[] = {
        {"queued", REQUESTS_QUEUED, false, -1, 0, CMP_POLLREP},
        {"queued, -1", REQUESTS_QUEUED, false, -1, -1, CMP_POLLREP},
        {"answered", REQUESTS_ANSWERED, false, -1, 0, CMP_IP},
        {"sent", REQUESTS_SENT, false, -1, 0, CMP_IP},
        {"sent, -1", REQUESTS_SENT, false, -1, -1, CMP_IP},
        {"confirming", REQUESTS_CONFIRMING, false, -1, 0, CMP_IP},
        {"confirming, -1", REQUESTS_CONFIRMING, false, -1, -1, CMP_PKICONF},
        {"confirmed", REQUESTS_CONFIRMED, false, -1, 0, CMP_IP},
        {"confirmed, -1", REQUESTS_CONFIRMED, false, -1, -1, CMP_PKICONF},
        {"confirmed of itself, -1", REQUESTS_CONFIRMED, true, -1, -1, CMP_IP},
        {"rejected by its client", REQUESTS_REJECTED, false, -1, 0, CMP_PKICONF},
        {"unconfirmed", REQUESTS_UNCONFIRMED, false, -1, 0, CMP_IP},
        {"unconfirmed, -1", REQUESTS_UNCONFIRMED, false, -1, -1, CMP_IP},
    };
    CLEANUP(member_free) struct member m = running_member(w);

    member_enrols(w, &m);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(cmp_client_answer_free) struct cmp_client_answer a = {0};

        running_sql(w,
                    "UPDATE enrolment SET state = ?, implicit = ?, fail_info = nullif(?, -1) WHERE "
                    "registration = ?",
                    STORE_VALUES(store_int(rows[i].state), store_int(rows[i].implicit),
                                 store_int(rows[i].fail_info), store_text(m.id)));
        m.state.recip_nonce_size = 0;
        talking_polls(&m, rows[i].poll);
        a = member_asks(w, &m);
        if (a.body != rows[i].body) {
            fail_msg("%s: %s", rows[i].name, cmp_body_name(a.body));
        }
    }
}

#define TEST(name) cmocka_unit_test_setup(name, running_reset)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(who_waits_polls_until_it_is_there),
        TEST(what_the_ca_says_of_waiting_is_what_a_poll_hears),
        TEST(who_comes_back_late_is_told_to_make_a_new_connection),
        TEST(a_certconf_is_answered_as_soon_as_it_is_kept),
        TEST(after_the_end_there_is_nothing_to_confirm),
        TEST(a_refusal_of_the_ca_is_what_everybody_hears_of_it),
        TEST(an_error_of_the_client_ends_its_transaction),
        TEST(a_later_message_is_of_who_began_it_and_of_this_place_in_it),
        TEST(a_poll_without_a_nonce_leaves_the_nonces_as_they_are),
        TEST(each_state_has_its_answer),
    };

    return cmocka_run_group_tests(tests, talking_setup, running_teardown);
}
