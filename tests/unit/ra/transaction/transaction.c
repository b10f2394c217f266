/* SPDX-License-Identifier: Apache-2.0 */
/* What a network function hears in each state of its transaction, over HTTP; what is kept of it. */
#include "ra/transaction/transaction.h"

#include <openssl/cmp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "ca/cmp/message/body.h"
#include "ca/cmp/protection/protect.h"
#include "db/requests/requests.h"
#include "pkcs11/client/client.h"
#include "ra/daemon/budget.h"
#include "ra/http/http.h"
#include "ra/secret/lane.h"
#include "ra/start.h"
#include "tests/support/forge.h"
#include "tests/support/kill.h"
#include "tests/unit/ra/running.h"

enum { REGISTRATION_BURST = 30, REFUSALS_MAX = 64, WAIT_MS = 60 };

/* ---- what a test wants to know ---- */

/* The whole of a talk without TLS; its answer is a CMP message when `body` is not NULL. */
static struct heard
hear(struct running *w, struct span message)
{
    return running_post(w, message);
}

/* Refused by HTTP status and in CMP. */
static void
is_busy(const struct heard *h, const struct member *m, enum cmp_failure failure, const char *phrase,
        const char *retry_after)
{
    struct cmp_client_state state = m->state;
    CLEANUP(cmp_client_answer_free) struct cmp_client_answer a = {0};
    struct err e = {0};

    assert_int_equal(h->status, 503);
    assert_true(retry_after == NULL || heard_has(h, retry_after));
    assert_ok(cmp_client_read(&m->client, h->body, NULL, &state, &a, &e), &e);
    if (a.body != CMP_ERROR || a.status.failures != 1U << (unsigned)failure ||
        strstr(a.status.text, phrase) == NULL) {
        fail_msg("%s %#x \"%s\"", cmp_body_name(a.body), a.status.failures, a.status.text);
    }
}

/* Protected in whatever way. */
static void
is_error(const struct heard *h, enum cmp_failure failure)
{
    CLEANUP(cmp_msg_cleanup) struct cmp_msg *answer = NULL;
    struct cmp_status_info said;
    enum cmp_failure why;
    struct err e = {0};

    answer = cmp_msg_parse(h->body, CMP_MESSAGE_MAX, &e);
    assert_non_null(answer);
    assert_int_equal(cmp_msg_body(answer), CMP_ERROR);
    assert_ok(cmp_error_read(answer, &said, &why, &e), &e);
    assert_int_equal(said.failures, 1U << (unsigned)failure);
}

static void
is_bare(const struct heard *h, const char *retry_after)
{
    assert_int_equal(h->status, 503);
    assert_int_equal(h->body.n, 0);
    assert_true(heard_has(h, retry_after));
}

static void
spend(struct budget *budget, struct span key, int n)
{
    for (int i = 0; i < n; i++) {
        assert_int_equal(budget_take(budget, key, clock_monotonic_ms()), 0);
    }
}

static int
tokens_left(struct budget *budget, struct span key)
{
    int n = 0;

    while (budget_take(budget, key, clock_monotonic_ms()) == 0) {
        n++;
    }
    for (int i = 0; i < n; i++) {
        budget_give_back(budget, key);
    }
    return n;
}

struct look {
    struct store_op op;
    struct span rid;
    struct requests_enrolment enrolment;
    bool found;
};

static int
look_run(struct store_op *op, struct store_db *db, struct err *e)
{
    struct look *l = CONTAINER_OF(op, struct look, op);

    return requests_enrolment_by_rid(db, l->rid, &l->enrolment, &l->found, e);
}

/* What ra.db has of the enrolment that this message began; requests_enrolment_clear() it. */
static struct requests_enrolment
enrolment_of(struct running *w, const struct member *m)
{
    uint8_t rid[SHA256_SIZE] = {0};
    struct look l = {.op.run = look_run, .rid = span_of(rid, sizeof(rid))};
    struct err e = {0};

    assert_ok(sha256(buf_span(&m->message), rid, &e), &e);
    assert_ok(store_call(w->ra.store, &l.op, &e), &e);
    assert_true(l.found);
    return l.enrolment;
}

static void
hears(struct running *w, struct member *m, enum cmp_body body)
{
    CLEANUP(cmp_client_answer_free) struct cmp_client_answer a = member_asks(w, m);

    if (a.body != body) {
        fail_msg("%s \"%s\" instead of %s", cmp_body_name(a.body), a.status.text,
                 cmp_body_name(body));
    }
}

static void
hears_waiting(struct running *w, struct member *m, enum cmp_body body)
{
    CLEANUP(cmp_client_answer_free) struct cmp_client_answer a = member_asks(w, m);

    assert_int_equal(a.body, body);
    assert_int_equal(a.status.status, CMP_WAITING);
}

static void
polls(struct member *m, int cert_req_id)
{
    struct err e = {0};

    assert_ok(cmp_client_pollreq(&m->client, cert_req_id, &m->state, &m->message, &e), &e);
}

static void
confirms(struct member *m, const struct buf *certificate, bool accept)
{
    struct err e = {0};
    CLEANUP(x509_cleanup) X509 *x = certificate_parse(buf_span(certificate), &e);

    assert_non_null(x);
    assert_ok(cmp_client_certconf(&m->client, x, accept, &m->state, &m->message, &e), &e);
}

/* ---- a CA that ---- */

static void
says_nothing(struct running *w, link_peer peer, const struct link_message *m)
{
    if (m->type != LINK_SUBMIT) {
        running_ca_does(w, peer, m);
    }
}

/* ... waits for people. */
static void
waits(struct running *w, link_peer peer, const struct link_message *m)
{
    const struct link_message waiting = {.type = LINK_WAITING,
                                         .id = m->id,
                                         .phrase = span_str("officers look at it"),
                                         .check_after = 4711};

    if (m->type == LINK_SUBMIT) {
        link_server_answer(w->ca, peer, &waiting);
    } else {
        running_ca_does(w, peer, m);
    }
}

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

static void
issues_to_somebody_else(struct running *w, link_peer peer, const struct link_message *m)
{
    CLEANUP(buf_free) struct buf der = BUF_INIT(LINK_CERTIFICATE_MAX);
    struct link_message issued = {.type = LINK_ISSUED, .id = m->id};
    struct err e = {0};

    if (m->type != LINK_SUBMIT) {
        running_ca_does(w, peer, m);
        return;
    }
    assert_ok(OSSL_ENCODE(X509, w->officer, &der, &e), &e);
    issued.body = buf_span(&der);
    link_server_answer(w->ca, peer, &issued);
}

static bool
is_not_wrapped(struct running *w)
{
    (void)w;
    return tap_has("\"not-wrapped\"");
}

static bool
has_failed(struct running *w)
{
    return w->ra.failed;
}

/* ---- the way ---- */

static void
an_enrolment_goes_its_way(void **state)
{
    struct running *w = *state;
    CLEANUP(member_free) struct member m = running_member(w);

    member_enrols(w, &m);
    assert_int_equal(w->asked[LINK_SUBMIT], 2);
}

static void
a_request_that_is_repeated_is_somebodys_copy_and_costs_nothing(void **state)
{
    struct running *w = *state;
    CLEANUP(member_free) struct member m = running_member(w);

    member_requests(&m, CMP_IR);
    hears(w, &m, CMP_IP);
    assert_int_equal(tokens_left(w->ra.by_registration, span_str(m.id)), REGISTRATION_BURST - 1);
    m.state.sender_nonce_size = CMP_NONCE_SIZE;
    member_is_refused(w, &m, CMP_ERROR, CMP_TRANSACTION_ID_IN_USE, "transactionID");
    assert_int_equal(tokens_left(w->ra.by_registration, span_str(m.id)), REGISTRATION_BURST - 1);
    assert_int_equal(w->asked[LINK_SUBMIT], 1);
}

/* Other octets, the same transactionID. */
static void
a_transaction_id_is_used_once(void **state)
{
    struct running *w = *state;
    CLEANUP(member_free) struct member m = running_member(w);
    CLEANUP(buf_free) struct buf body = BUF_INIT(CMP_MESSAGE_MAX);
    CLEANUP(x509_name_cleanup) X509_NAME *name = member_name();
    struct err e = {0};

    member_requests(&m, CMP_IR);
    hears(w, &m, CMP_IP);
    assert_ok(cmp_client_body_request(CMP_IR, m.key, name, &body, &e), &e);
    m.state.recip_nonce_size = 0;
    member_says(&m, false, buf_span(&body));
    member_is_refused(w, &m, CMP_ERROR, CMP_TRANSACTION_ID_IN_USE, "transactionID");
}

static void
what_is_refused_to_the_registered_one_is_remembered(void **state)
{
    struct running *w = *state;
    CLEANUP(member_free) struct member m = running_member(w);
    CLEANUP(buf_free) struct buf body = BUF_INIT(CMP_MESSAGE_MAX);
    struct err e = {0};

    assert_ok(cmp_client_body_request(CMP_IR, m.key, X509_get_subject_name(w->officer), &body, &e),
              &e);
    member_says(&m, true, buf_span(&body));
    member_is_refused(w, &m, CMP_IP, CMP_NOT_AUTHORIZED, "the subject is not the registered one");
    assert_int_equal(tokens_left(w->ra.by_registration, span_str(m.id)), REGISTRATION_BURST - 1);
    member_is_refused(w, &m, CMP_ERROR, CMP_TRANSACTION_ID_IN_USE, "transactionID");
    assert_int_equal(tokens_left(w->ra.by_registration, span_str(m.id)), REGISTRATION_BURST - 1);
    assert_int_equal(w->asked[LINK_SUBMIT], 0);
}

/* Anybody could have sent it: the registered one does not pay, and it is not remembered. */
/* RFC 9483 3.2: protected as the request was where that proved who asks, else signed. */
static enum cmp_protection
protection_of(struct span answer)
{
    CLEANUP(cmp_msg_cleanup) struct cmp_msg *msg = NULL;
    struct err e = {0};

    msg = cmp_msg_parse(answer, CMP_MESSAGE_MAX, &e);
    assert_non_null(msg);
    return cmp_protection_of(msg);
}

static void
what_nobody_is_proven_to_have_sent_is_not_remembered(void **state)
{
    struct running *w = *state;
    CLEANUP(member_free) struct member m = running_member(w);
    struct span right = m.client.secret;
    CLEANUP(heard_free) struct heard unproven = {0};
    CLEANUP(heard_free) struct heard proven = {0};

    m.client.secret = SPAN_LITERAL("a wrong secret");
    member_requests(&m, CMP_IR);
    for (int i = 0; i < 2; i++) {
        struct cmp_client_state s = m.state;

        m.client.secret = right;
        member_is_refused(w, &m, CMP_ERROR, CMP_BAD_MESSAGE_CHECK, "");
        m.state = s;
    }
    assert_int_equal(tokens_left(w->ra.by_registration, span_str(m.id)), REGISTRATION_BURST);
    unproven = hear(w, buf_span(&m.message));
    assert_int_equal(protection_of(unproven.body), CMP_PROTECTION_SIGNATURE);
    member_requests(&m, CMP_IR);
    proven = hear(w, buf_span(&m.message));
    assert_int_equal(protection_of(proven.body), CMP_PROTECTION_MAC);
}

static void
what_is_not_of_now_is_neither_remembered_nor_paid_for(void **state)
{
    struct running *w = *state;
    CLEANUP(member_free) struct member m = running_member(w);

    m.client.time = clock_now() - 3600;
    member_requests(&m, CMP_IR);
    for (int i = 0; i < 2; i++) {
        member_is_refused(w, &m, CMP_ERROR, CMP_BAD_TIME, "messageTime is");
    }
    assert_int_equal(tokens_left(w->ra.by_registration, span_str(m.id)), REGISTRATION_BURST);
}

static void
who_begins_too_much_waits(void **state)
{
    struct running *w = *state;
    CLEANUP(member_free) struct member m = running_member(w);
    CLEANUP(heard_free) struct heard h = {0};

    spend(w->ra.by_registration, span_str(m.id), REGISTRATION_BURST - 1);
    member_requests(&m, CMP_IR);
    hears(w, &m, CMP_IP);
    member_requests(&m, CMP_IR);
    h = hear(w, buf_span(&m.message));
    is_busy(&h, &m, CMP_SYSTEM_UNAVAIL, "too many transactions were begun", NULL);
    assert_non_null(memmem(h.octets.p, h.octets.n, "\r\nRetry-After: 3", 16)); /* 3600 or so */
    assert_int_equal(w->asked[LINK_SUBMIT], 1);
}

static void
a_second_certificate_is_not_registered(void **state)
{
    struct running *w = *state;
    CLEANUP(member_free) struct member m = running_member(w);

    member_enrols(w, &m);
    member_requests(&m, CMP_IR);
    member_is_refused(w, &m, CMP_IP, CMP_NOT_AUTHORIZED,
                      "the registration's certificates were all issued");
    member_is_refused(w, &m, CMP_ERROR, CMP_TRANSACTION_ID_IN_USE, "transactionID");
}

static void
implicit_confirmation_is_granted_where_it_is_asked_for_and_allowed(void **state)
{
    struct running *w = *state;
    CLEANUP(member_free) struct member m = running_member(w);
    CLEANUP(member_free) struct member other = running_member(w);
    CLEANUP(cmp_client_answer_free) struct cmp_client_answer a = {0};
    CLEANUP(cmp_client_answer_free) struct cmp_client_answer b = {0};
    CLEANUP(cmp_client_answer_free) struct cmp_client_answer c = {0};
    struct err e = {0};

    m.client.implicit_confirm = true;
    member_requests(&m, CMP_IR);
    a = member_asks(w, &m);
    assert_int_equal(a.body, CMP_IP);
    assert_true(a.implicit_confirm);
    w->settings->implicit_confirm = false;
    other.client.implicit_confirm = true;
    member_requests(&other, CMP_IR);
    b = member_asks(w, &other);
    w->settings->implicit_confirm = true;
    assert_false(b.implicit_confirm);
    /* a kur is never (RFC 9483 4.1.3) */
    m.certificate = certificate_parse(buf_span(&a.certificate), &e);
    m.client.certificate = m.certificate;
    member_requests(&m, CMP_KUR);
    m.key = TAKE(m.key);
    c = member_asks(w, &m);
    assert_int_equal(c.body, CMP_KUP);
    assert_false(c.implicit_confirm);
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

    w->ca_does = says_nothing;
    w->settings->sync_wait = WAIT_MS;
    member_requests(&m, CMP_IR);
    hears_waiting(w, &m, CMP_IP);
    running_until(w, running_is_submitted);
    polls(&m, 0);
    poll = member_asks(w, &m);
    assert_int_equal(poll.body, CMP_POLLREP);
    assert_int_equal(poll.check_after, 1);
    assert_string_equal(poll.status.text, "");
    certificate = running_ca_issues(w, buf_span(&w->last));
    memcpy(rid, w->last_id, sizeof(rid));
    running_ca_goes(w);
    running_until(w, running_is_down);
    polls(&m, 0);
    away = member_asks(w, &m);
    assert_int_equal(away.check_after, 5);
    w->asked[LINK_SUBMIT] = 0;
    running_ca_comes(w);
    running_until(w, running_is_submitted); /* again */
    issued.id = span_of(rid, sizeof(rid));
    issued.body = buf_span(&certificate);
    running_ca_says(w, &issued);
    running_becomes(w, &m, REQUESTS_ANSWERED);
    polls(&m, 0);
    ip = member_asks(w, &m);
    assert_int_equal(ip.body, CMP_IP);
    assert_true(span_equal(buf_span(&ip.certificate), buf_span(&certificate)));
    confirms(&m, &ip.certificate, true);
    w->ca_does = NULL;
    hears(w, &m, CMP_PKICONF);
}

static void
what_the_ca_says_of_waiting_is_what_a_poll_hears(void **state)
{
    struct running *w = *state;
    CLEANUP(member_free) struct member m = running_member(w);
    CLEANUP(cmp_client_answer_free) struct cmp_client_answer poll = {0};

    w->ca_does = waits;
    member_requests(&m, CMP_IR);
    hears_waiting(w, &m, CMP_IP);
    polls(&m, 0);
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

    w->ca_does = waits;
    member_requests(&m, CMP_IR);
    hears_waiting(w, &m, CMP_IP);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(talk_free) struct talk t = {0};

        running_sql(w, "UPDATE enrolment SET check_after = ? WHERE registration = ?",
                    STORE_VALUES(store_int(rows[i].check_after), store_text(m.id)));
        polls(&m, 0);
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
    w->ca_does = says_nothing;
    w->settings->sync_wait = WAIT_MS;
    confirms(&m, &ip.certificate, true);
    before = m.state;
    hears(w, &m, CMP_PKICONF);
    running_until(w, running_is_submitted);
    m.state = before; /* the pkiConf got lost: the same octets again */
    hears(w, &m, CMP_PKICONF);
    polls(&m, -1);
    hears(w, &m, CMP_PKICONF);
    /* and now it says something else */
    confirms(&m, &ip.certificate, false);
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
    confirms(&m, &ip.certificate, false);
    hears(w, &m, CMP_PKICONF);
    m.state = before;
    confirms(&m, &ip.certificate, false);
    member_is_refused(w, &m, CMP_ERROR, CMP_CERT_CONFIRMED, "");
    m.state.recip_nonce_size = 0; /* a refusal's is not kept */
    polls(&m, 0);
    hears(w, &m, CMP_PKICONF);
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
    polls(&m, 0);
    member_is_refused(w, &m, CMP_IP, CMP_DUPLICATE_CERT_REQ, "not by this CA");
    m.state.recip_nonce_size = 0;
    polls(&m, -1); /* as if a certConf had been sent */
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
    hears(w, &m, CMP_PKICONF);
    tap_need("not what I want");
    m.state = before;
    confirms(&m, &ip.certificate, true);
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
    w->ca_does = waits;
    member_requests(&m, CMP_IR);
    hears_waiting(w, &m, CMP_IP);
    there = m.state;
    other.state = there;
    polls(&other, 0);
    member_is_refused(w, &other, CMP_ERROR, CMP_BAD_MESSAGE_CHECK,
                      "the transaction was begun with other credentials");
    signer.state = there;
    polls(&signer, 0);
    member_is_refused(w, &signer, CMP_ERROR, CMP_WRONG_INTEGRITY,
                      "the transaction was begun with protection of another kind");
    m.state.transaction_id[0] ^= 1;
    polls(&m, 0);
    member_is_refused(w, &m, CMP_ERROR, CMP_BAD_REQUEST, "pollReq without its transaction");
    m.state = there;
    m.state.recip_nonce[CMP_NONCE_SIZE - 1] ^= 1;
    polls(&m, 0);
    member_is_refused(w, &m, CMP_ERROR, CMP_BAD_RECIPIENT_NONCE, "");
    m.state = there;
    polls(&m, 1);
    member_is_refused(w, &m, CMP_ERROR, CMP_BAD_REQUEST, "pollReq is not for the one certReqId");
    /* The answer to a poll is lost: the nonce before the last is as good. */
    m.state = there;
    polls(&m, 0);
    a = member_asks(w, &m);
    assert_int_equal(a.body, CMP_POLLREP);
    m.state = there;
    polls(&m, 0);
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

    w->ca_does = waits;
    member_requests(&m, CMP_IR);
    hears_waiting(w, &m, CMP_IP);
    there = m.state;
    for (int i = 0; i < 3; i++) {
        m.state.recip_nonce_size = 0;
        polls(&m, 0);
        hears(w, &m, CMP_POLLREP);
        assert_int_equal(m.state.recip_nonce_size, there.recip_nonce_size);
        assert_memory_equal(m.state.recip_nonce, there.recip_nonce, there.recip_nonce_size);
    }
    polls(&m, 0); /* with the nonce it is another one */
    hears(w, &m, CMP_POLLREP);
    assert_memory_not_equal(m.state.recip_nonce, there.recip_nonce, there.recip_nonce_size);
}

static void
what_is_no_message_of_anybody_is_answered_with_a_signed_error(void **state)
{
    struct running *w = *state;
    CLEANUP(heard_free) struct heard h = {0};
    CLEANUP(cmp_msg_cleanup) struct cmp_msg *answer = NULL;
    struct cmp_status_info said;
    enum cmp_failure failure;
    struct err e = {0};

    h = hear(w, SPAN_LITERAL("hello"));
    assert_int_equal(h.status, 200);
    answer = cmp_msg_parse(h.body, CMP_MESSAGE_MAX, &e);
    assert_non_null(answer);
    assert_int_equal(cmp_msg_body(answer), CMP_ERROR);
    assert_ok(cmp_error_read(answer, &said, &failure, &e), &e);
    assert_int_equal(said.failures, 1U << CMP_BAD_DATA_FORMAT);
    assert_ok(cmp_signature_verify(answer, w->certificate, &failure, &e), &e);
}

/* ---- how it is answered ---- */

/* Which certificates stand in an answer, in this order. */
static void
check_extra(struct span answer, X509 *const *certificates, size_t n)
{
    const unsigned char *p = answer.p;
    OSSL_CMP_MSG *msg = d2i_OSSL_CMP_MSG(NULL, &p, (long)answer.n);
    CLEANUP(buf_free) struct buf all = BUF_INIT(CMP_MESSAGE_MAX);
    struct err e = {0};

    assert_non_null(msg);
    OSSL_CMP_MSG_free(msg);
    for (size_t i = 0; i < n; i++) {
        assert_ok(OSSL_ENCODE(X509, certificates[i], &all, &e), &e);
    }
    assert_true(answer.n > all.n);
    assert_memory_equal(answer.p + answer.n - all.n, all.p, all.n);
}

static size_t
count(struct span in, X509 *certificate)
{
    CLEANUP(buf_free) struct buf der = BUF_INIT(CMP_MESSAGE_MAX);
    struct err e = {0};
    size_t n = 0;

    assert_ok(OSSL_ENCODE(X509, certificate, &der, &e), &e);
    for (size_t i = 0; i + der.n <= in.n; i++) {
        n += memcmp(in.p + i, der.p, der.n) == 0;
    }
    return n;
}

/* RFC 9483 3.3, 4.1.1, 4.1.3. */
static void
an_answer_brings_the_certificates_that_its_reader_needs(void **state)
{
    struct running *w = *state;
    CLEANUP(member_free) struct member m = running_member(w);
    CLEANUP(heard_free) struct heard ip = {0};
    CLEANUP(heard_free) struct heard kup = {0};
    CLEANUP(member_free) struct member n = running_member(w);
    X509 *by_mac[] = {w->pki->issuing, w->pki->root};
    X509 *by_signature[] = {w->certificate, w->pki->issuing, w->pki->root};

    member_requests(&m, CMP_IR);
    ip = hear(w, buf_span(&m.message));
    check_extra(ip.body, by_mac, 2);
    assert_int_equal(count(ip.body, w->certificate), 0);
    assert_int_equal(count(ip.body, w->pki->root), 2); /* caPubs, too */
    member_enrols(w, &n);
    n.client.certificate = n.certificate;
    member_requests(&n, CMP_KUR);
    kup = hear(w, buf_span(&n.message));
    check_extra(kup.body, by_signature, 3);
    assert_int_equal(count(kup.body, w->pki->root), 1); /* no caPubs */
}

/* ---- when the RA cannot ---- */

static void
nobody_could_verify_what_the_ra_signs(void **state)
{
    struct running *w = *state;
    CLEANUP(member_free) struct member m = running_member(w);
    CLEANUP(member_free) struct member n = running_member(w);
    CLEANUP(heard_free) struct heard garbage = {0};
    CLEANUP(heard_free) struct heard kup = {0};
    CLEANUP(cmp_client_answer_free) struct cmp_client_answer later = {0};

    member_enrols(w, &n);
    n.client.certificate = n.certificate;
    member_requests(&n, CMP_KUR);
    w->ra.own.refused_until = clock_now() + 1000;
    garbage = hear(w, SPAN_LITERAL("hello"));
    is_bare(&garbage, "Retry-After: 60");
    kup = hear(w, buf_span(&n.message));
    is_bare(&kup, "Retry-After: 60");
    member_requests(&m, CMP_IR); /* a MAC needs no certificate; the CA takes it and says so */
    hears(w, &m, CMP_IP);
    assert_int_equal(w->ra.own.refused_until, 0);
    later = member_asks(w, &n); /* the same octets, which left nothing behind */
    assert_int_equal(later.body, CMP_KUP);
}

/* Stopped, it answers to nobody. */
static void
the_signer_hangs(void **state)
{
    struct running *w = *state;
    CLEANUP(member_free) struct member m = running_member(w);
    CLEANUP(member_free) struct member n = running_member(w);
    CLEANUP(heard_free) struct heard kup = {0};
    CLEANUP(cmp_client_answer_free) struct cmp_client_answer later = {0};
    const pid_t signer = signer_pid(w->ra.signer);

    member_enrols(w, &n);
    n.client.certificate = n.certificate;
    member_requests(&n, CMP_KUR);
    w->asked[LINK_SUBMIT] = 0;
    w->settings->sync_wait = WAIT_MS;
    assert_int_equal(test_kill(signer, SIGSTOP), 0);
    kup = hear(w, buf_span(&n.message));
    is_bare(&kup, "Retry-After: 5");
    assert_int_equal(tokens_left(w->ra.by_registration, span_str(n.id)), REGISTRATION_BURST - 1);
    tap_need("the signer does not answer");
    member_requests(&m, CMP_IR);
    hears_waiting(w, &m, CMP_IP);
    assert_int_equal(w->asked[LINK_SUBMIT], 0);
    assert_int_equal(test_kill(signer, SIGCONT), 0);
    running_until(w, running_is_submitted); /* signed by now */
    w->settings->sync_wait = 60000;
    running_settle(w);
    running_becomes(w, &m, REQUESTS_ANSWERED);
    polls(&m, 0);
    hears(w, &m, CMP_IP);
    later = member_asks(w, &n);
    assert_int_equal(later.body, CMP_KUP);
}

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
    h = hear(w, buf_span(&m.message));
    is_busy(&h, &m, CMP_SYSTEM_UNAVAIL, "", "Retry-After: 2");
    garbage = hear(w, SPAN_LITERAL("hello"));
    is_bare(&garbage, "Retry-After: 2");
    w->ra.refusals = REFUSALS_MAX;
    many = hear(w, buf_span(&m.message));
    is_bare(&many, "Retry-After: 2");
    assert_int_equal(w->ra.refusals, REFUSALS_MAX);
    w->ra.refusals = REFUSALS_MAX - 1;
    dear = hear(w, buf_span(&m.message));
    is_busy(&dear, &m, CMP_SYSTEM_UNAVAIL, "", "Retry-After: 2");
    running_settle(w);
    assert_int_equal(w->ra.refusals, REFUSALS_MAX - 1);
    w->ra.refusals = 0;
    w->settings->requests_max = 1;
    hears(w, &m, CMP_IP); /* nothing is kept of those */
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
    h = hear(w, buf_span(&m.message));
    assert_int_equal(h.status, 503);
    assert_true(heard_has(&h, "Retry-After: 1"));
    is_error(&h, CMP_SYSTEM_UNAVAIL);
    tap_need("too many wait for keys of as many iterations");
    m.client.reference = "nobody";
    member_requests(&m, CMP_IR);
    unknown = hear(w, buf_span(&m.message));
    assert_int_equal(unknown.status, 503);
    is_error(&unknown, CMP_SYSTEM_UNAVAIL);
    w->ra.of_refusals = none;
    assert_int_equal(budget_take(none, span_of(NULL, 0), clock_monotonic_ms()), 0);
    bare = hear(w, buf_span(&m.message));
    w->ra.of_refusals = refusals;
    is_bare(&bare, "Retry-After: 1");
    lane_free(w->ra.lane);
    w->ra.lane = lane;
    m.client.reference = m.reference;
    member_requests(&m, CMP_IR);
    turn = hear(w, buf_span(&m.message));
    assert_int_equal(turn.status, 200);
    assert_int_equal(protection_of(turn.body), CMP_PROTECTION_MAC);
    tap_need("a key of 10001 steps");
    /* nobody's turn, which ends as a wrong MAC does, and one whose secret cannot be opened */
    m.client.reference = "nobody";
    member_requests(&m, CMP_IR);
    nobody = hear(w, buf_span(&m.message));
    assert_int_equal(nobody.status, 200);
    is_error(&nobody, CMP_BAD_MESSAGE_CHECK);
    m.client.reference = m.reference;
    running_sql(w, "UPDATE registration SET sealed = x'0102' WHERE id = ?",
                STORE_VALUES(store_text(m.id)));
    member_requests(&m, CMP_IR);
    sealed = hear(w, buf_span(&m.message));
    is_error(&sealed, CMP_SYSTEM_FAILURE);
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
    hears(w, &m, CMP_KUP);
    left = tokens_left(w->ra.by_registration, span_str(m.id));
    assert_ok(buf_set(&m.message, buf_span(&kur), &e), &e);
    member_is_refused(w, &m, CMP_ERROR, CMP_TRANSACTION_ID_IN_USE, "transactionID");
    assert_true(tokens_left(w->ra.by_registration, span_str(m.id)) >= left);
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
    confirms(&m, &ip.certificate, true);
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

/* The certificate says what is registered; who asked for something else is told so. */
static void
what_was_not_granted_is_said(void **state)
{
    struct running *w = *state;
    CLEANUP(member_free) struct member m = running_member(w);
    CLEANUP(cmp_client_answer_free) struct cmp_client_answer as_asked = {0};
    CLEANUP(cmp_client_answer_free) struct cmp_client_answer otherwise = {0};
    CLEANUP(member_free) struct member n = running_member(w);

    member_requests(&m, CMP_IR);
    as_asked = member_asks(w, &m);
    assert_int_equal(as_asked.status.status, CMP_ACCEPTED);
    w->ca_does = issues_to_somebody_else;
    member_requests(&n, CMP_IR);
    otherwise = member_asks(w, &n);
    assert_int_equal(otherwise.status.status, CMP_GRANTED_WITH_MODS);
}

/* A reason of an administrator's or of ours that cannot be stored: the client may ask again. */
static void
what_the_store_does_not_take_is_a_failure_of_ours(void **state)
{
    struct running *w = *state;
    CLEANUP(member_free) struct member m = running_member(w);
    CLEANUP(heard_free) struct heard h = {0};

    running_sql(
        w,
        "CREATE TRIGGER no_more BEFORE INSERT ON queue BEGIN UPDATE registration SET used = "
        "-1; END", /* which a CHECK forbids */
        STORE_NO_VALUES);
    member_requests(&m, CMP_IR);
    h = hear(w, buf_span(&m.message));
    running_sql(w, "DROP TRIGGER no_more", STORE_NO_VALUES);
    tap_need("\"no-answer\"");
    assert_int_equal(h.status, 503);
    is_error(&h, CMP_SYSTEM_FAILURE);
    assert_true(heard_has(&h, "Retry-After: 5"));
    assert_false(w->ra.failed);
    hears(w, &m, CMP_IP); /* nothing of it is left */
}

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
        polls(&m, rows[i].poll);
        a = member_asks(w, &m);
        if (a.body != rows[i].body) {
            fail_msg("%s: %s", rows[i].name, cmp_body_name(a.body));
        }
    }
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
    assert_int_equal(tokens_left(w->ra.by_registration, span_str(m.id)), REGISTRATION_BURST - 1);
}

/* The signer's key is not that of the certificate. */
static void
an_ra_does_not_start_with_somebody_elses_certificate(void **state)
{
    struct running *w = *state;
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *key = pki_key("P-256");
    CLEANUP(x509_cleanup) X509 *other = running_officer(w, "ra-cmp", "RA 2", key);
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/other.der", w->dir);
    CLEANUP(mem_cleanup)
    char *why =
        mem_printf("%s is not the certificate of the key that %s/other.conf names", path, w->dir);
    char *configured = w->settings->certificate;
    char *policy = w->settings->signer_policy;
    CLEANUP(mem_cleanup) char *other_policy = mem_printf("%s/other.conf", w->dir);
    CLEANUP(buf_free) struct buf text = BUF_INIT(4096);
    CLEANUP(mem_cleanup) struct ra *ra = mem_zalloc(1, sizeof(*ra));
    struct err e = {0};

    forge_certificate_write(other, path);
    w->settings->certificate = path;
    assert_ok(file_read(policy, &text, &e), &e); /* with a journal of its own */
    memcpy((uint8_t *)memmem(text.p, text.n, "ra.journal", 10), "rb", 2);
    assert_ok(file_write(other_policy, buf_span(&text), 0600, &e), &e);
    w->settings->signer_policy = other_policy;
    assert_int_equal(ra_open(ra, w->settings, &e), -1);
    w->settings->certificate = configured;
    w->settings->signer_policy = policy;
    ra_close(ra);
    assert_int_equal(e.code, ERR_INPUT);
    assert_string_equal(e.text, why);
}

/* It was remembered before its answer was to be signed; nobody has seen anything of it. */
static void
what_could_not_be_signed_may_come_again(void **state)
{
    struct running *w = *state;
    CLEANUP(member_free) struct member m = running_member(w);
    CLEANUP(mem_cleanup) char *elsewhere = mem_printf("%s.gone", w->settings->signer_policy);
    CLEANUP(heard_free) struct heard h = {0};
    CLEANUP(heard_free) struct heard garbage = {0};
    static const uint8_t ca_certs[] = {0xb5, 0x0e, 0x30, 0x0c, 0x30, 0x0a, 0x06, 0x08,
                                       0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x04, 0x11};
    int status = 0;

    member_enrols(w, &m);
    m.client.certificate = m.certificate;
    member_says(&m, true, span_of(ca_certs, sizeof(ca_certs)));
    assert_int_equal(rename(w->settings->signer_policy, elsewhere), 0);
    assert_int_equal(test_kill(signer_pid(w->ra.signer), SIGKILL), 0);
    h = hear(w, buf_span(&m.message));
    is_bare(&h, "Retry-After: 5");
    garbage = hear(w, SPAN_LITERAL("hello"));
    is_bare(&garbage, "Retry-After: 5");
    running_settle(w);
    assert_int_equal(rename(elsewhere, w->settings->signer_policy), 0);
    for (int i = 0; i < 100 && status != 200; i++) { /* it is started again after a pause */
        CLEANUP(heard_free) struct heard again = hear(w, buf_span(&m.message));

        status = again.status;
        if (status == 200) {
            CLEANUP(cmp_msg_cleanup) struct cmp_msg *genp = NULL;
            struct err e = {0};

            genp = cmp_msg_parse(again.body, CMP_MESSAGE_MAX, &e);
            assert_non_null(genp);
            assert_int_equal(cmp_msg_body(genp), CMP_GENP);
        } else {
            running_for(w, 100);
        }
    }
    assert_int_equal(status, 200);
}

/* Wherever it happens on the way, the RA ends, and nobody is answered as if nothing were. */
static void
a_database_that_is_gone_ends_the_ra(void **state)
{
    struct running *w = *state;
    enum what { REQUEST, REFUSED_REQUEST, QUESTION, LATER_QUESTION, CONFIRMATION, END, COPY };
    static const struct {
        const char *name;
        const char *spoil;
        const char *mend;
        enum what what;
    } rows[] = {
        {"known", "ALTER TABLE seen RENAME COLUMN identity TO gone",
         "ALTER TABLE seen RENAME COLUMN gone TO identity", REQUEST},
        {"admit", "ALTER TABLE queue RENAME COLUMN entry TO gone",
         "ALTER TABLE queue RENAME COLUMN gone TO entry", REQUEST},
        {"sent", "ALTER TABLE enrolment RENAME COLUMN confirm_by TO gone",
         "ALTER TABLE enrolment RENAME COLUMN gone TO confirm_by", REQUEST},
        {"remember", "ALTER TABLE seen RENAME COLUMN until TO gone",
         "ALTER TABLE seen RENAME COLUMN gone TO until", REFUSED_REQUEST},
        {"remember a question", "ALTER TABLE seen RENAME COLUMN until TO gone",
         "ALTER TABLE seen RENAME COLUMN gone TO until", QUESTION},
        {"admit a certConf", "ALTER TABLE queue RENAME COLUMN entry TO gone",
         "ALTER TABLE queue RENAME COLUMN gone TO entry", CONFIRMATION},
        {"keep a question", "ALTER TABLE enrolment RENAME COLUMN question TO gone",
         "ALTER TABLE enrolment RENAME COLUMN gone TO question", LATER_QUESTION},
        {"the end", "ALTER TABLE enrolment RENAME COLUMN confirm_by TO gone",
         "ALTER TABLE enrolment RENAME COLUMN gone TO confirm_by", END},
        {"a copy of what is signed", "ALTER TABLE enrolment RENAME COLUMN question TO gone",
         "ALTER TABLE enrolment RENAME COLUMN gone TO question", COPY},
    };
    static const uint8_t current_crl[] = {0xb5, 0x0e, 0x30, 0x0c, 0x30, 0x0a, 0x06, 0x08,
                                          0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x04, 0x06};
    static const uint8_t ca_certs[] = {0xb5, 0x0e, 0x30, 0x0c, 0x30, 0x0a, 0x06, 0x08,
                                       0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x04, 0x11};

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(member_free) struct member m = running_member(w);
        CLEANUP(cmp_client_answer_free) struct cmp_client_answer ip = {0};
        CLEANUP(heard_free) struct heard h = {0};
        CLEANUP(buf_free) struct buf body = BUF_INIT(CMP_MESSAGE_MAX);
        struct err e = {0};

        member_requests(&m, CMP_IR);
        if (rows[i].what == REFUSED_REQUEST) {
            assert_ok(cmp_client_body_request(CMP_IR, m.key, X509_get_subject_name(w->officer),
                                              &body, &e),
                      &e);
            member_says(&m, true, buf_span(&body));
        } else if (rows[i].what == QUESTION) {
            member_says(&m, true, span_of(ca_certs, sizeof(ca_certs)));
        } else if (rows[i].what == LATER_QUESTION) {
            member_says(&m, true, span_of(current_crl, sizeof(current_crl)));
        } else if (rows[i].what == CONFIRMATION) {
            ip = member_asks(w, &m);
            confirms(&m, &ip.certificate, true);
        } else if (rows[i].what == END) {
            ip = member_asks(w, &m);
            assert_ok(cmp_body_error(CMP_BAD_CERT_TEMPLATE, "no", &body, &e), &e);
            member_says(&m, false, buf_span(&body));
        } else if (rows[i].what == COPY) {
            member_enrols(w, &m);
            m.client.certificate = m.certificate;
            member_requests(&m, CMP_KUR);
            hears(w, &m, CMP_KUP);
        }
        running_sql(w, rows[i].spoil, STORE_NO_VALUES);
        h = hear(w, buf_span(&m.message));
        running_sql(w, rows[i].mend, STORE_NO_VALUES);
        if (!w->ra.failed || h.status != 503 || h.body.n != 0 || !heard_has(&h, "Retry-After: 5")) {
            fail_msg("%s: %d", rows[i].name, h.status);
        }
        w->ra.failed = false;
    }
}

/* An answer of the CA that cannot be kept, and a queue that cannot be read. */
static void
a_queue_that_is_gone_ends_the_ra(void **state)
{
    struct running *w = *state;
    CLEANUP(member_free) struct member m = running_member(w);

    running_sql(w, "ALTER TABLE certificate RENAME COLUMN not_after TO gone", STORE_NO_VALUES);
    w->settings->sync_wait = WAIT_MS;
    member_requests(&m, CMP_IR);
    hears_waiting(w, &m, CMP_IP);
    running_until(w, has_failed);
    running_sql(w, "ALTER TABLE certificate RENAME COLUMN gone TO not_after", STORE_NO_VALUES);
    w->ra.failed = false;
    running_ca_goes(w);
    running_until(w, running_is_down);
    running_sql(w, "ALTER TABLE queue RENAME COLUMN again_at TO gone", STORE_NO_VALUES);
    running_ca_comes(w);
    running_until(w, has_failed);
    running_sql(w, "ALTER TABLE queue RENAME COLUMN gone TO again_at", STORE_NO_VALUES);
    w->ra.failed = false;
    running_ca_goes(w);
    running_until(w, running_is_down);
    running_ca_comes(w);
    running_becomes(w, &m, REQUESTS_ANSWERED);
}

/* What has a MAC waits as it is, and is tried again until somebody signs. */
static void
what_waits_unsigned_is_sent_when_somebody_signs(void **state)
{
    struct running *w = *state;
    CLEANUP(member_free) struct member m = running_member(w);
    CLEANUP(mem_cleanup) char *elsewhere = mem_printf("%s.gone", w->settings->signer_policy);

    assert_int_equal(rename(w->settings->signer_policy, elsewhere), 0);
    assert_int_equal(test_kill(signer_pid(w->ra.signer), SIGKILL), 0);
    w->settings->sync_wait = WAIT_MS;
    member_requests(&m, CMP_IR);
    hears_waiting(w, &m, CMP_IP);
    running_until(w, is_not_wrapped);
    assert_int_equal(w->asked[LINK_SUBMIT], 0);
    assert_int_equal(rename(elsewhere, w->settings->signer_policy), 0);
    running_becomes(w, &m, REQUESTS_ANSWERED);
    assert_int_equal(w->asked[LINK_SUBMIT], 1);
    assert_int_equal(tap_count("\"not-wrapped\""), 1); /* said once, however often it is tried */
    assert_false(tap_has("\"submit-failed\""));
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
        h = hear(w, buf_span(&m.message));
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

/* Nothing comes back to a budget while a test runs, on whatever machine. */
static int
set_up(void **state)
{
    static const struct budget_limit limit = {.interval_us = (int64_t)3600 * 1000 * 1000,
                                              .burst = REGISTRATION_BURST};
    struct running *w;

    (void)running_setup(state);
    w = *state;
    budget_free(w->ra.by_registration);
    w->ra.by_registration = budget_new(&limit, 1024);
    return 0;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(an_enrolment_goes_its_way, running_reset),
        cmocka_unit_test_setup(a_request_that_is_repeated_is_somebodys_copy_and_costs_nothing,
                               running_reset),
        cmocka_unit_test_setup(a_transaction_id_is_used_once, running_reset),
        cmocka_unit_test_setup(what_is_refused_to_the_registered_one_is_remembered, running_reset),
        cmocka_unit_test_setup(what_nobody_is_proven_to_have_sent_is_not_remembered, running_reset),
        cmocka_unit_test_setup(what_is_not_of_now_is_neither_remembered_nor_paid_for,
                               running_reset),
        cmocka_unit_test_setup(who_begins_too_much_waits, running_reset),
        cmocka_unit_test_setup(a_second_certificate_is_not_registered, running_reset),
        cmocka_unit_test_setup(implicit_confirmation_is_granted_where_it_is_asked_for_and_allowed,
                               running_reset),
        cmocka_unit_test_setup(who_waits_polls_until_it_is_there, running_reset),
        cmocka_unit_test_setup(what_the_ca_says_of_waiting_is_what_a_poll_hears, running_reset),
        cmocka_unit_test_setup(who_comes_back_late_is_told_to_make_a_new_connection, running_reset),
        cmocka_unit_test_setup(a_certconf_is_answered_as_soon_as_it_is_kept, running_reset),
        cmocka_unit_test_setup(after_the_end_there_is_nothing_to_confirm, running_reset),
        cmocka_unit_test_setup(a_refusal_of_the_ca_is_what_everybody_hears_of_it, running_reset),
        cmocka_unit_test_setup(an_error_of_the_client_ends_its_transaction, running_reset),
        cmocka_unit_test_setup(a_later_message_is_of_who_began_it_and_of_this_place_in_it,
                               running_reset),
        cmocka_unit_test_setup(a_poll_without_a_nonce_leaves_the_nonces_as_they_are, running_reset),
        cmocka_unit_test_setup(what_is_no_message_of_anybody_is_answered_with_a_signed_error,
                               running_reset),
        cmocka_unit_test_setup(an_answer_brings_the_certificates_that_its_reader_needs,
                               running_reset),
        cmocka_unit_test_setup(nobody_could_verify_what_the_ra_signs, running_reset),
        cmocka_unit_test_setup(the_signer_hangs, running_reset),
        cmocka_unit_test_setup(more_than_can_be_done_at_once_comes_again, running_reset),
        cmocka_unit_test_setup(who_gets_no_turn_comes_again, running_reset),
        cmocka_unit_test_setup(what_is_signed_is_a_copy_once_it_is_answered, running_reset),
        cmocka_unit_test_setup(of_two_certconfs_one_is_kept, running_reset),
        cmocka_unit_test_setup(what_was_not_granted_is_said, running_reset),
        cmocka_unit_test_setup(what_the_store_does_not_take_is_a_failure_of_ours, running_reset),
        cmocka_unit_test_setup(each_state_has_its_answer, running_reset),
        cmocka_unit_test_setup(of_two_copies_at_once_one_is_a_copy, running_reset),
        cmocka_unit_test_setup(an_ra_does_not_start_with_somebody_elses_certificate, running_reset),
        cmocka_unit_test_setup(what_could_not_be_signed_may_come_again, running_reset),
        cmocka_unit_test_setup(a_database_that_is_gone_ends_the_ra, running_reset),
        cmocka_unit_test_setup(a_queue_that_is_gone_ends_the_ra, running_reset),
        cmocka_unit_test_setup(what_waits_unsigned_is_sent_when_somebody_signs, running_reset),
        cmocka_unit_test_setup(a_transaction_is_remembered_as_long_as_it_could_come_again,
                               running_reset),
    };

    return cmocka_run_group_tests(tests, set_up, running_teardown);
}
