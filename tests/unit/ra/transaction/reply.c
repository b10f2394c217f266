/* SPDX-License-Identifier: Apache-2.0 */
/* What is answered to all that is not an ir with its certConf (transaction.c): rr, genm, what comes
 * again, and what cannot be answered. */
#include "ra/transaction/reply.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/ossl.h"
#include "ca/cmp/message/body.h"
#include "ca/cmp/message/der.h"
#include "ca/x509/profile/profiles.h"
#include "db/requests/requests.h"
#include "pkcs11/client/client.h"
#include "ra/daemon/budget.h"
#include "ra/secret/mac_cache.h"
#include "tests/support/kill.h"
#include "tests/unit/ra/running.h"

enum { REGISTRATION_BURST = 30, WAIT_MS = 60, REASON = 4 /* superseded */ };

/* ---- what a test wants to know ---- */

static void
hears(struct running *w, struct member *m, enum cmp_body body)
{
    CLEANUP(cmp_client_answer_free) struct cmp_client_answer a = member_asks(w, m);

    if (a.body != body) {
        fail_msg("%s \"%s\" instead of %s", cmp_body_name(a.body), a.status.text,
                 cmp_body_name(body));
    }
}

/* With the status waiting, for this certReqId. */
static void
hears_waiting(struct running *w, struct member *m, enum cmp_body body)
{
    CLEANUP(cmp_client_answer_free) struct cmp_client_answer a = member_asks(w, m);

    assert_int_equal(a.body, body);
    assert_int_equal(a.status.status, CMP_WAITING);
    assert_int_equal(a.status.failures, 0);
}

static void
polls(struct member *m, int cert_req_id)
{
    struct err e = {0};

    assert_ok(cmp_client_pollreq(&m->client, cert_req_id, &m->state, &m->message, &e), &e);
}

static void
confirms(struct member *m, const struct buf *certificate)
{
    struct err e = {0};
    CLEANUP(x509_cleanup) X509 *x = certificate_parse(buf_span(certificate), &e);

    assert_non_null(x);
    assert_ok(cmp_client_certconf(&m->client, x, true, &m->state, &m->message, &e), &e);
}

/* Enrolled, and signs from now on. */
static struct member
signer(struct running *w)
{
    struct member m = running_member(w);

    member_enrols(w, &m);
    m.client.certificate = m.certificate;
    w->asked[LINK_SUBMIT] = 0;
    return m;
}

static void
revokes(struct member *m)
{
    struct err e = {0};

    assert_ok(cmp_client_rr(&m->client, m->certificate, REASON, &m->state, &m->message, &e), &e);
}

/* A question without a value. */
enum { CA_CERTS = 0x11, CURRENT_CRL = 0x06 };

static void
asks(struct member *m, uint8_t what)
{
    const uint8_t body[] = {0xb5, 0x0e, 0x30, 0x0c, 0x30, 0x0a, 0x06, 0x08,
                            0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x04, what};

    member_says(m, true, span_of(body, sizeof(body)));
}

/* Of its last transaction. */
#define LAST(column)                                                                               \
    "SELECT " column " FROM enrolment WHERE registration = ? ORDER BY id DESC LIMIT 1"

static int64_t
last_number(struct running *w, const struct member *m, const char *sql)
{
    return running_number(w, sql, STORE_VALUES(store_text(m->id)));
}

static void
becomes(struct running *w, const struct member *m, enum requests_state state)
{
    for (int i = 0; last_number(w, m, LAST("state")) != (int64_t)state; i++) {
        running_for(w, 2);
        if (i == 5000) {
            fail_msg("it stays in state %d", (int)last_number(w, m, LAST("state")));
        }
    }
}

static int
tokens_left(struct running *w, const struct member *m)
{
    int n = 0;

    while (budget_take(w->ra.by_registration, span_str(m->id), clock_monotonic_ms()) == 0) {
        n++;
    }
    for (int i = 0; i < n; i++) {
        budget_give_back(w->ra.by_registration, span_str(m->id));
    }
    return n;
}

static void
is_bare(const struct heard *h, const char *retry_after)
{
    assert_int_equal(h->status, 503);
    assert_int_equal(h->body.n, 0);
    assert_true(heard_has(h, retry_after));
}

/* The RA says so itself, by HTTP and in CMP. */
static void
is_our_failure(struct running *w, struct member *m)
{
    CLEANUP(heard_free) struct heard h = running_post(w, buf_span(&m->message));
    CLEANUP(cmp_client_answer_free) struct cmp_client_answer a = {0};
    struct cmp_client_state state = m->state;
    struct err e = {0};

    assert_int_equal(h.status, 503);
    assert_true(heard_has(&h, "Retry-After: 5"));
    assert_ok(cmp_client_read(&m->client, h.body, NULL, &state, &a, &e), &e);
    assert_int_equal(a.body, CMP_ERROR);
    assert_int_equal(a.status.failures, 1U << CMP_SYSTEM_FAILURE);
    assert_false(w->ra.failed);
    tap_need("\"no-answer\"");
}

/* ---- a CA that ---- */

static void
says_nothing(struct running *w, link_peer peer, const struct link_message *m)
{
    if (m->type != LINK_SUBMIT) {
        running_ca_does(w, peer, m);
    }
}

/* And from then on nobody could verify what the RA signs. */
static void
says_nothing_and_is_not_trusted(struct running *w, link_peer peer, const struct link_message *m)
{
    if (m->type == LINK_SUBMIT) {
        w->ra.own.refused_until = clock_now() + 1000;
    }
    says_nothing(w, peer, m);
}

static void
refuses(struct running *w, link_peer peer, const struct link_message *m)
{
    const struct link_message refused = {
        .type = LINK_REFUSED, .id = m->id, .fail_info = CMP_BAD_CERT_ID, .phrase = span_str("!")};

    if (m->type == LINK_SUBMIT) {
        link_server_answer(w->ca, peer, &refused);
    } else {
        running_ca_does(w, peer, m);
    }
}

/* ---- rr ---- */

/* There is nothing to confirm. */
static void
a_revocation_is_over_when_it_is_answered(void **state)
{
    struct running *w = *state;
    CLEANUP(member_free) struct member m = signer(w);
    CLEANUP(cmp_client_answer_free) struct cmp_client_answer a = {0};

    revokes(&m);
    a = member_asks(w, &m);
    assert_int_equal(a.body, CMP_RP);
    assert_int_equal(a.status.status, CMP_ACCEPTED);
    assert_int_equal(w->asked[LINK_SUBMIT], 1);
    assert_int_equal(last_number(w, &m, LAST("body")), CMP_RR);
    assert_int_equal(last_number(w, &m, LAST("implicit")), 1);
    assert_int_equal(last_number(w, &m, LAST("state")), REQUESTS_CONFIRMED);
    polls(&m, -1);
    hears(w, &m, CMP_RP);
}

static void
who_waits_for_a_revocation_polls(void **state)
{
    struct running *w = *state;
    CLEANUP(member_free) struct member m = signer(w);
    CLEANUP(cmp_client_answer_free) struct cmp_client_answer poll = {0};
    uint8_t rid[LINK_RID_SIZE];

    w->ca_does = says_nothing;
    w->settings->sync_wait = WAIT_MS;
    revokes(&m);
    hears_waiting(w, &m, CMP_ERROR); /* rp has no status waiting */
    running_until(w, running_is_submitted);
    memcpy(rid, w->last_id, sizeof(rid));
    polls(&m, -1);
    poll = member_asks(w, &m);
    assert_int_equal(poll.body, CMP_POLLREP);
    assert_int_equal(poll.cert_req_id, -1);
    assert_int_equal(poll.check_after, 1);
    running_ca_says(w,
                    &(struct link_message){.type = LINK_REVOKED, .id = span_of(rid, sizeof(rid))});
    becomes(w, &m, REQUESTS_ANSWERED);
    polls(&m, -1);
    hears(w, &m, CMP_RP);
}

/* By the CA, whose phrase may be short, and before it gets there. */
static void
a_revocation_is_refused_in_its_own_body(void **state)
{
    struct running *w = *state;
    CLEANUP(member_free) struct member m = signer(w);
    CLEANUP(member_free) struct member other = signer(w);
    struct err e = {0};

    assert_ok(cmp_client_rr(&m.client, other.certificate, REASON, &m.state, &m.message, &e), &e);
    member_is_refused(w, &m, CMP_RP, CMP_NOT_AUTHORIZED, "");
    assert_int_equal(w->asked[LINK_SUBMIT], 0);
    w->ca_does = refuses;
    revokes(&m);
    member_is_refused(w, &m, CMP_RP, CMP_BAD_CERT_ID, "!");
    m.state.recip_nonce_size = 0; /* a refusal's is not kept */
    polls(&m, -1);
    member_is_refused(w, &m, CMP_RP, CMP_BAD_CERT_ID, "!");
}

/* ---- genm ---- */

static void
a_question_is_answered_at_once(void **state)
{
    struct running *w = *state;
    CLEANUP(member_free) struct member m = running_member(w);

    asks(&m, CA_CERTS);
    hears(w, &m, CMP_GENP);
    member_is_refused(w, &m, CMP_ERROR, CMP_TRANSACTION_ID_IN_USE, "transactionID");
    assert_int_equal(running_number(w, "SELECT count(*) FROM enrolment WHERE registration = ?",
                                    STORE_VALUES(store_text(m.id))),
                     0);
}

/* There is none in the folder yet. */
static void
who_waits_for_a_crl_polls(void **state)
{
    struct running *w = *state;
    CLEANUP(member_free) struct member m = running_member(w);
    CLEANUP(member_free) struct member n = running_member(w);
    CLEANUP(mem_cleanup) char *crl = mem_printf("%s/issuing.crl", w->dir);
    CLEANUP(mem_cleanup) char *there = mem_printf("%s/issuing.crl", w->settings->crl_dir);
    CLEANUP(cmp_client_answer_free) struct cmp_client_answer poll = {0};

    asks(&m, CURRENT_CRL);
    hears_waiting(w, &m, CMP_ERROR);
    assert_int_equal(last_number(w, &m, LAST("body")), CMP_GENM);
    polls(&m, -1);
    poll = member_asks(w, &m);
    assert_int_equal(poll.body, CMP_POLLREP);
    assert_int_equal(poll.cert_req_id, -1);
    assert_int_equal(poll.check_after, 5);
    asks(&n, CURRENT_CRL);
    hears_waiting(w, &n, CMP_ERROR);
    assert_int_equal(link(crl, there), 0);
    polls(&m, -1);
    hears(w, &m, CMP_GENP);
    assert_int_equal(last_number(w, &m, LAST("state")), REQUESTS_CONFIRMED);
    running_sql(w, "UPDATE enrolment SET state = 5, fail_info = 2 WHERE registration = ?",
                STORE_VALUES(store_text(n.id)));
    polls(&n, -1);
    member_is_refused(w, &n, CMP_ERROR, CMP_BAD_REQUEST, ""); /* genp has no place for it */
    assert_int_equal(unlink(there), 0);
}

/* A copy of what waits, and a question that cannot be kept. */
static void
a_question_that_waits_is_kept_once(void **state)
{
    struct running *w = *state;
    CLEANUP(member_free) struct member m = running_member(w);

    asks(&m, CURRENT_CRL);
    hears_waiting(w, &m, CMP_ERROR);
    m.state.recip_nonce_size = 0;
    running_sql(w, "UPDATE enrolment SET nonce = NULL WHERE registration = ?",
                STORE_VALUES(store_text(m.id))); /* what has a MAC could be answered all the same */
    member_is_refused(w, &m, CMP_ERROR, CMP_TRANSACTION_ID_IN_USE, "transactionID");
    running_sql(w,
                "CREATE TRIGGER other BEFORE INSERT ON seen WHEN new.until != 0 BEGIN INSERT INTO "
                "seen (identity, transaction_id, until) VALUES (new.identity, "
                "new.transaction_id, 0); END",
                STORE_NO_VALUES);
    asks(&m, CURRENT_CRL);
    member_is_refused(w, &m, CMP_ERROR, CMP_TRANSACTION_ID_IN_USE, "transactionID");
    tap_mark();
    asks(&m, CA_CERTS);
    member_is_refused(w, &m, CMP_ERROR, CMP_TRANSACTION_ID_IN_USE, "transactionID");
    tap_need("transactionIdInUse: this transactionID was used before");
    running_sql(w, "DROP TRIGGER other", STORE_NO_VALUES);
    running_sql(w,
                "CREATE TRIGGER never BEFORE INSERT ON seen BEGIN SELECT RAISE(ABORT, 'no'); END",
                STORE_NO_VALUES);
    asks(&m, CURRENT_CRL);
    is_our_failure(w, &m);
    tap_mark();
    asks(&m, CA_CERTS);
    is_our_failure(w, &m);
    running_sql(w, "DROP TRIGGER never", STORE_NO_VALUES);
    assert_int_equal(tokens_left(w, &m), REGISTRATION_BURST - 3); /* the copies are paid back */
}

static void
a_question_that_cannot_be_answered_is_an_error(void **state)
{
    struct running *w = *state;
    CLEANUP(member_free) struct member m = running_member(w);
    CLEANUP(mem_cleanup) char *elsewhere = mem_printf("%s.gone", w->settings->crl_dir);

    assert_int_equal(rename(w->settings->crl_dir, elsewhere), 0);
    asks(&m, CURRENT_CRL);
    member_is_refused(w, &m, CMP_ERROR, CMP_SYSTEM_FAILURE, "");
    assert_int_equal(rename(elsewhere, w->settings->crl_dir), 0);
    tap_need("\"genm-unanswered\"");
    tap_need("asked for currentCRL");
}

/* ---- what comes again ---- */

/* Nobody could have verified its first answer, so none left: its sender goes on, and pays once. */
static void
what_is_signed_goes_on_when_it_was_not_answered(void **state)
{
    struct running *w = *state;
    CLEANUP(member_free) struct member m = signer(w);
    CLEANUP(talk_free) struct talk t = {0};
    CLEANUP(buf_free) struct buf kur = BUF_INIT(CMP_MESSAGE_MAX);
    struct running_task *task;
    struct cmp_client_state first;
    struct err e = {0};
    const int before = tokens_left(w, &m);

    w->ca_does = says_nothing_and_is_not_trusted;
    w->settings->sync_wait = 1000;
    member_requests(&m, CMP_KUR);
    assert_ok(buf_set(&kur, buf_span(&m.message), &e), &e);
    first = m.state;
    t = running_cmp(w, "/.well-known/cmp", "Connection: close\r\n", buf_span(&m.message));
    task = running_begin(w, talk_run, &t);
    running_until(w, running_is_submitted);
    running_end(w, task);
    is_bare(&t.heard, "Retry-After: 60");
    w->ra.own.refused_until = 0;
    assert_int_equal(tokens_left(w, &m), before - 1);
    polls(&m, 0); /* none of our nonces is known */
    hears(w, &m, CMP_POLLREP);
    assert_int_equal(m.state.recip_nonce_size, CMP_NONCE_SIZE);
    running_sql(w, "UPDATE enrolment SET nonce = NULL WHERE registration = ?",
                STORE_VALUES(store_text(m.id)));
    assert_ok(buf_set(&m.message, buf_span(&kur), &e), &e);
    m.state = first;
    hears_waiting(w, &m, CMP_KUP);
    assert_int_equal(tokens_left(w, &m), before - 1);
    assert_int_equal(w->asked[LINK_SUBMIT], 1);
    m.state = first;
    member_is_refused(w, &m, CMP_ERROR, CMP_TRANSACTION_ID_IN_USE, "transactionID");
    assert_int_equal(tokens_left(w, &m), before - 1);
}

/* The CA has it by now, but nobody could have verified the pkiConf. */
static void
a_pkiconf_that_never_left_is_sent_again(void **state)
{
    struct running *w = *state;
    CLEANUP(member_free) struct member m = signer(w);
    CLEANUP(cmp_client_answer_free) struct cmp_client_answer kup = {0};
    CLEANUP(talk_free) struct talk t = {0};
    struct running_task *task;
    uint8_t rid[LINK_RID_SIZE];

    member_requests(&m, CMP_KUR);
    kup = member_asks(w, &m);
    assert_int_equal(kup.body, CMP_KUP);
    w->ca_does = says_nothing_and_is_not_trusted;
    w->settings->sync_wait = 1000;
    w->asked[LINK_SUBMIT] = 0;
    confirms(&m, &kup.certificate);
    t = running_cmp(w, "/.well-known/cmp", "Connection: close\r\n", buf_span(&m.message));
    task = running_begin(w, talk_run, &t);
    running_until(w, running_is_submitted);
    memcpy(rid, w->last_id, sizeof(rid));
    running_end(w, task);
    is_bare(&t.heard, "Retry-After: 60");
    running_ca_says(
        w, &(struct link_message){.type = LINK_CONFIRMED, .id = span_of(rid, sizeof(rid))});
    becomes(w, &m, REQUESTS_CONFIRMED);
    w->ra.own.refused_until = 0;
    hears(w, &m, CMP_PKICONF);
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
    hears(w, &m, CMP_IP);
    w->settings->message_time_window = 10;
    w->ra.behind_s = 10;
    m.state.recip_nonce_size = 0;
    member_is_refused(w, &m, CMP_ERROR, CMP_BAD_TIME, "messageTime is");
    w->settings->message_time_window = window;
    w->ra.behind_s = behind;
}

/* ---- what an answer has ---- */

static size_t
count(struct span in, struct span what)
{
    size_t n = 0;

    for (size_t i = 0; i + what.n <= in.n; i++) {
        n += memcmp(in.p + i, what.p, what.n) == 0;
    }
    return n;
}

/* RFC 9483 4.1.2, 4.1.5: the root is in caPubs of an ip for who does not know this PKI. */
static void
the_root_is_told_to_who_does_not_know_it(void **state)
{
    struct running *w = *state;
    CLEANUP(member_free) struct member m = running_member(w);
    CLEANUP(member_free) struct member n = running_member(w);
    CLEANUP(member_free) struct member o = signer(w);
    const struct {
        const char *name;
        struct member *who;
        enum cmp_body body;
        size_t roots; /* one is in extraCerts */
    } rows[] = {{"ir with a MAC", &m, CMP_IR, 2},
                {"cr with a MAC", &n, CMP_CR, 1},
                {"ir with a certificate of ours", &o, CMP_IR, 1}};

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(heard_free) struct heard h = {0};

        member_requests(rows[i].who, rows[i].body);
        h = running_post(w, buf_span(&rows[i].who->message));
        assert_int_equal(h.status, 200);
        if (count(h.body, buf_span(&w->ra.credentials.root_der)) != rows[i].roots) {
            fail_msg("%s", rows[i].name);
        }
    }
}

/* confirmWaitTime (RFC 9810 5.1.1.2) stands where something is to be confirmed. */
static void
an_answer_says_how_long_its_certconf_is_waited_for(void **state)
{
    static const uint8_t confirm_wait[] = {0x2b, 6, 1, 5, 5, 7, 4, 0x0e};
    struct running *w = *state;
    CLEANUP(member_free) struct member m = running_member(w);
    CLEANUP(member_free) struct member n = running_member(w);
    CLEANUP(heard_free) struct heard waits = {0};
    CLEANUP(heard_free) struct heard implicit = {0};
    CLEANUP(heard_free) struct heard refused = {0};

    member_requests(&m, CMP_IR);
    waits = running_post(w, buf_span(&m.message));
    assert_int_equal(count(waits.body, span_of(confirm_wait, sizeof(confirm_wait))), 1);
    refused = running_post(w, buf_span(&m.message));
    assert_int_equal(count(refused.body, span_of(confirm_wait, sizeof(confirm_wait))), 0);
    n.client.implicit_confirm = true;
    member_requests(&n, CMP_IR);
    implicit = running_post(w, buf_span(&n.message));
    assert_int_equal(count(implicit.body, span_of(confirm_wait, sizeof(confirm_wait))), 0);
}

/* What replaces another registration supersedes its certificates by a certConf (registration.h). */
static void
what_supersedes_is_confirmed(void **state)
{
    struct running *w = *state;
    CLEANUP(member_free) struct member m = running_member(w);
    CLEANUP(cmp_client_answer_free) struct cmp_client_answer a = {0};

    running_sql(w,
                "UPDATE registration SET json = CAST(replace(CAST(json AS TEXT), '\"proof\"', "
                "'\"supersedes\":\"00112233445566778899aabbccddeeff\",\"proof\"') AS BLOB) "
                "WHERE id = ?",
                STORE_VALUES(store_text(m.id)));
    m.client.implicit_confirm = true;
    member_requests(&m, CMP_IR);
    a = member_asks(w, &m);
    assert_int_equal(a.body, CMP_IP);
    assert_false(a.implicit_confirm);
}

/* Waits, and then has what the CA made of its request: what it is told of that. A common name is
 * asked for, which no certificate of a network function has. */
static enum cmp_status
is_told(struct running *w, const char *profile)
{
    CLEANUP(member_free) struct member m = running_member(w);
    CLEANUP(x509_name_cleanup) X509_NAME *name = member_name();
    CLEANUP(buf_free) struct buf body = BUF_INIT(CMP_MESSAGE_MAX);
    CLEANUP(buf_free) struct buf certificate = {0};
    CLEANUP(cmp_client_answer_free) struct cmp_client_answer a = {0};
    struct link_message issued = {.type = LINK_ISSUED};
    struct err e = {0};

    assert_int_equal(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                                                (const unsigned char *)"amf1", -1, -1, 0),
                     1);
    assert_ok(cmp_client_body_request(CMP_IR, m.key, name, &body, &e), &e);
    member_says(&m, true, buf_span(&body));
    w->asked[LINK_SUBMIT] = 0;
    hears_waiting(w, &m, CMP_IP);
    running_until(w, running_is_submitted);
    running_sql(w, "UPDATE enrolment SET profile = ? WHERE registration = ?",
                STORE_VALUES(store_text(profile), store_text(m.id)));
    certificate = running_ca_issues(w, buf_span(&w->last));
    issued.id = span_of(w->last_id, sizeof(w->last_id));
    issued.body = buf_span(&certificate);
    running_ca_says(w, &issued);
    becomes(w, &m, REQUESTS_ANSWERED);
    polls(&m, 0);
    a = member_asks(w, &m);
    assert_int_equal(a.body, CMP_IP);
    return a.status.status;
}

/* A profile "loose" of the operator's own; profiles_forget() it. */
static void
profiles_use(struct running *w)
{
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/profiles.conf", w->dir);
    struct err e = {0};

    assert_ok(file_write(path,
                         SPAN_LITERAL("profile \"loose\" { extended_key_usage = "
                                      "{\"1.3.6.1.4.1.99999.1\"} ignored = {CN} "
                                      "implicit_confirm = false }\n"),
                         0600, &e),
              &e);
    w->settings->profiles = profiles_load(path, &e);
    if (w->settings->profiles == NULL) {
        fail_msg("%s", e.text);
    }
}

static void
profiles_forget(struct running *w)
{
    profiles_free(w->settings->profiles);
    w->settings->profiles = NULL;
}

static void
what_a_profile_wants_confirmed_is_confirmed(void **state)
{
    struct running *w = *state;
    CLEANUP(member_free) struct member m = running_member(w);
    CLEANUP(cmp_client_answer_free) struct cmp_client_answer a = {0};

    profiles_use(w);
    w->ra.stored_rules.profiles = w->settings->profiles;
    running_sql(w,
                "UPDATE registration SET json = CAST(replace(CAST(json AS TEXT), '\"nf-tls\"', "
                "'\"loose\"') AS BLOB) WHERE id = ?",
                STORE_VALUES(store_text(m.id)));
    m.client.implicit_confirm = true;
    member_requests(&m, CMP_IR);
    a = member_asks(w, &m);
    w->ra.stored_rules.profiles = NULL;
    profiles_forget(w);
    assert_int_equal(a.body, CMP_IP);
    assert_false(a.implicit_confirm);
}

static void
what_a_profile_ignores_is_not_missed(void **state)
{
    struct running *w = *state;

    profiles_use(w);
    w->ca_does = says_nothing;
    w->settings->sync_wait = WAIT_MS;
    assert_int_equal(is_told(w, "nf-tls"), CMP_GRANTED_WITH_MODS);
    assert_int_equal(is_told(w, "loose"), CMP_ACCEPTED);
    assert_int_equal(is_told(w, "gone since"), CMP_GRANTED_WITH_MODS);
    profiles_forget(w);
}

/* What the CA said of it is in each pollRep. */
static void
a_poll_hears_why_it_waits(void **state)
{
    struct running *w = *state;
    CLEANUP(member_free) struct member m = running_member(w);
    CLEANUP(heard_free) struct heard h = {0};
    CLEANUP(heard_free) struct heard none = {0};

    w->ca_does = says_nothing;
    w->settings->sync_wait = WAIT_MS;
    member_requests(&m, CMP_IR);
    hears_waiting(w, &m, CMP_IP);
    running_sql(w, "UPDATE enrolment SET check_after = 7, phrase = 'people' WHERE registration = ?",
                STORE_VALUES(store_text(m.id)));
    polls(&m, 0);
    h = running_post(w, buf_span(&m.message));
    assert_int_equal(h.status, 200);
    assert_int_equal(count(h.body, span_str("people")), 1);
    running_sql(w, "UPDATE enrolment SET check_after = 0 WHERE registration = ?",
                STORE_VALUES(store_text(m.id))); /* it does not keep it waiting */
    m.state.recip_nonce_size = 0;
    polls(&m, 0);
    none = running_post(w, buf_span(&m.message));
    assert_int_equal(none.status, 200);
    assert_int_equal(count(none.body, span_str("people")), 0);
}

/* [4] of PKIBody. */
static struct buf
p10cr_of(EVP_PKEY *key, const X509_NAME *subject)
{
    X509_REQ *request = X509_REQ_new();
    CLEANUP(buf_free) struct buf der = BUF_INIT(CMP_MESSAGE_MAX);
    struct buf body = BUF_INIT(CMP_MESSAGE_MAX);
    struct err e = {0};

    assert_int_equal(X509_REQ_set_version(request, X509_REQ_VERSION_1), 1);
    assert_int_equal(X509_REQ_set_subject_name(request, subject), 1);
    assert_int_equal(X509_REQ_set_pubkey(request, key), 1);
    assert_true(X509_REQ_sign(request, key, EVP_sha256()) > 0);
    assert_ok(OSSL_ENCODE(X509_REQ, request, &der, &e), &e);
    assert_ok(der_append(&body, (uint8_t)(DER_CONTEXT | CMP_P10CR), buf_span(&der), &e), &e);
    X509_REQ_free(request);
    return body;
}

/* RFC 9483 4.1.4: -1 for a p10cr, and 0 for the others, whatever asks for it. */
static void
an_answer_is_to_the_request_and_its_number(void **state)
{
    struct running *w = *state;
    CLEANUP(member_free) struct member m = running_member(w);
    CLEANUP(member_free) struct member n = running_member(w);
    CLEANUP(cmp_client_answer_free) struct cmp_client_answer refused = {0};
    CLEANUP(cmp_client_answer_free) struct cmp_client_answer ip = {0};
    CLEANUP(buf_free) struct buf body = p10cr_of(m.key, X509_get_subject_name(w->officer));

    member_says(&m, true, buf_span(&body));
    refused = member_asks(w, &m);
    assert_int_equal(refused.body, CMP_CP);
    assert_int_equal(refused.status.failures, 1U << CMP_NOT_AUTHORIZED);
    assert_int_equal(refused.cert_req_id, -1);
    member_requests(&n, CMP_IR);
    hears(w, &n, CMP_IP);
    n.state.recip_nonce_size = 0;
    polls(&n, 0);
    ip = member_asks(w, &n);
    assert_int_equal(ip.body, CMP_IP);
    assert_int_equal(ip.cert_req_id, 0);
}

/* What waits is not told when to poll: only a pollRep closes the connection for it. */
static void
who_waits_keeps_the_connection(void **state)
{
    struct running *w = *state;
    CLEANUP(member_free) struct member m = signer(w);
    CLEANUP(talk_free) struct talk t = {0};
    struct running_task *task;

    w->ca_does = says_nothing;
    w->settings->sync_wait = 300;
    member_requests(&m, CMP_KUR);
    t = running_cmp(w, "/.well-known/cmp", "", buf_span(&m.message));
    t.keeps_alive = true;
    task = running_begin(w, talk_run, &t);
    running_until(w, running_is_submitted);
    running_ca_says(w, &(struct link_message){.type = LINK_WAITING,
                                              .id = span_of(w->last_id, sizeof(w->last_id)),
                                              .phrase = span_str("people"),
                                              .check_after = 4711});
    running_end(w, task);
    assert_int_equal(t.heard.status, 200);
    assert_false(heard_has(&t.heard, "Connection: close"));
}

/* Until its transaction is over, and no longer. */
static void
the_key_of_a_mac_is_kept_while_its_transaction_goes_on(void **state)
{
    struct running *w = *state;
    CLEANUP(member_free) struct member m = running_member(w);
    CLEANUP(cmp_client_answer_free) struct cmp_client_answer ip = {0};

    mac_cache_free(w->ra.mac_cache);
    w->ra.mac_cache = mac_cache_new(MAC_CACHE_MAX, 3600);
    member_requests(&m, CMP_IR);
    ip = member_asks(w, &m);
    assert_int_equal(ip.body, CMP_IP);
    assert_int_equal(ip.cert_req_id, 0);
    assert_int_equal(mac_cache_sweep(w->ra.mac_cache, clock_now()), 1);
    confirms(&m, &ip.certificate);
    hears(w, &m, CMP_PKICONF);
    assert_int_equal(mac_cache_sweep(w->ra.mac_cache, clock_now()), 0);
}

/* Who is refused is named in the log, when it says who it is. */
static void
the_log_says_who_is_refused(void **state)
{
    struct running *w = *state;
    CLEANUP(member_free) struct member m = running_member(w);
    CLEANUP(heard_free) struct heard h = {0};
    CLEANUP(mem_cleanup) char *who = mem_printf(", mac:%s: badMessageCheck", m.reference);
    struct span right = m.client.secret;

    h = running_post(w, SPAN_LITERAL("hello"));
    tap_need("message from 127.0.0.1:");
    assert_true(tap_has(": badDataFormat: "));
    assert_false(tap_has(", mac:"));
    m.client.secret = SPAN_LITERAL("a wrong secret");
    member_requests(&m, CMP_IR);
    m.client.secret = right;
    member_is_refused(w, &m, CMP_ERROR, CMP_BAD_MESSAGE_CHECK, "");
    tap_need("ir from 127.0.0.1");
    tap_need(who);
}

/* ---- what cannot be answered ---- */

/* Its answer was lost, as far as ra.db knows. */
static void
is_answered(struct running *w, struct member *m)
{
    const bool is_signer = m->client.certificate != NULL;

    member_requests(m, is_signer ? CMP_KUR : CMP_IR);
    hears(w, m, is_signer ? CMP_KUP : CMP_IP);
    running_sql(w, "UPDATE enrolment SET state = 1 WHERE id = (SELECT max(id) FROM enrolment)",
                STORE_NO_VALUES);
    polls(m, 0);
}

/* What says so has a MAC or is signed, as the answer would be. */
static void
an_answer_that_cannot_be_made_is_a_failure_of_ours(void **state)
{
    struct running *w = *state;
    CLEANUP(member_free) struct member m = running_member(w);
    CLEANUP(member_free) struct member n = signer(w);
    struct member *const members[] = {&m, &n};

    for (size_t i = 0; i < ARRAY_LEN(members); i++) {
        is_answered(w, members[i]);
        running_sql(w, "UPDATE enrolment SET certificate = x'00' WHERE registration = ?",
                    STORE_VALUES(store_text(members[i]->id)));
        tap_mark();
        is_our_failure(w, members[i]);
    }
}

/* It was made, but what must be kept of it cannot be: it does not leave, and nothing is kept. */
static void
an_answer_that_cannot_be_kept_is_a_failure_of_ours(void **state)
{
    struct running *w = *state;
    CLEANUP(member_free) struct member m = running_member(w);
    CLEANUP(member_free) struct member n = signer(w);
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
        is_our_failure(w, members[i]);
        running_sql(w, "DROP TRIGGER no", STORE_NO_VALUES);
        assert_int_equal(last_number(w, members[i], LAST("state")), REQUESTS_ANSWERED);
        assert_int_equal(last_number(w, members[i], LAST("nonce_before IS NULL")), 1);
        members[i]->state = before;
        hears(w, members[i], i == 0 ? CMP_IP : CMP_KUP); /* the same poll */
    }
}

/* The first of the numbers is a failInfo, too. */
static void
a_refusal_with_the_failinfo_0_is_one(void **state)
{
    struct running *w = *state;
    CLEANUP(member_free) struct member m = running_member(w);

    w->ca_does = says_nothing;
    w->settings->sync_wait = WAIT_MS;
    member_requests(&m, CMP_IR);
    hears_waiting(w, &m, CMP_IP);
    running_sql(
        w, "UPDATE enrolment SET state = 5, fail_info = 0, phrase = '?' WHERE registration = ?",
        STORE_VALUES(store_text(m.id)));
    polls(&m, 0);
    member_is_refused(w, &m, CMP_IP, CMP_BAD_ALG, "?");
}

/* What is signed is tried again as long as its sender may wait, and then leaves nothing behind. */
static void
a_signer_that_dies_is_waited_for(void **state)
{
    struct running *w = *state;
    CLEANUP(member_free) struct member m = signer(w);
    CLEANUP(mem_cleanup) char *elsewhere = mem_printf("%s.gone", w->settings->signer_policy);
    CLEANUP(heard_free) struct heard h = {0};
    const int before = tokens_left(w, &m);

    assert_int_equal(rename(w->settings->signer_policy, elsewhere), 0);
    assert_int_equal(test_kill(signer_pid(w->ra.signer), SIGKILL), 0);
    w->settings->sync_wait = 300;
    member_requests(&m, CMP_KUR);
    h = running_post(w, buf_span(&m.message));
    is_bare(&h, "Retry-After: 5");
    assert_int_equal(tokens_left(w, &m), before);
    assert_int_equal(rename(elsewhere, w->settings->signer_policy), 0);
    w->settings->sync_wait = 19000;
    hears(w, &m, CMP_KUP); /* when it is started again */
    assert_int_equal(tokens_left(w, &m), before - 1);
}

/* Kept for its polls, but nobody could sign that it waits: it goes on as if it came first. */
static void
a_question_that_waits_goes_on_when_it_was_not_answered(void **state)
{
    struct running *w = *state;
    CLEANUP(member_free) struct member m = signer(w);
    CLEANUP(mem_cleanup) char *elsewhere = mem_printf("%s.gone", w->settings->signer_policy);
    CLEANUP(cmp_client_answer_free) struct cmp_client_answer a = {0};
    struct err e = {0};
    int status = 0;

    assert_int_equal(rename(w->settings->signer_policy, elsewhere), 0);
    assert_int_equal(test_kill(signer_pid(w->ra.signer), SIGKILL), 0);
    asks(&m, CURRENT_CRL);
    for (int i = 0; i < 100 && status != 200; i++) {
        CLEANUP(heard_free) struct heard h = running_post(w, buf_span(&m.message));

        status = h.status;
        if (i == 0) {
            is_bare(&h, "Retry-After: 5");
            assert_int_equal(rename(elsewhere, w->settings->signer_policy), 0);
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
    CLEANUP(member_free) struct member m = signer(w);
    CLEANUP(mem_cleanup) char *elsewhere = mem_printf("%s.gone", w->settings->signer_policy);
    static const struct {
        const char *trigger;
        bool fails;
    } rows[] = {
        {"CREATE TRIGGER kept BEFORE DELETE ON seen BEGIN SELECT RAISE(ABORT, 'no'); END", false},
        {"CREATE TRIGGER kept BEFORE DELETE ON seen BEGIN DELETE FROM nowhere; END", true},
    };

    assert_int_equal(rename(w->settings->signer_policy, elsewhere), 0);
    assert_int_equal(test_kill(signer_pid(w->ra.signer), SIGKILL), 0);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(heard_free) struct heard h = {0};

        asks(&m, CA_CERTS);
        running_sql(w, rows[i].trigger, STORE_NO_VALUES);
        h = running_post(w, buf_span(&m.message));
        running_sql(w, "DROP TRIGGER kept", STORE_NO_VALUES);
        is_bare(&h, "Retry-After: 5");
        assert_int_equal(w->ra.failed, rows[i].fails);
        w->ra.failed = false;
    }
    assert_int_equal(rename(elsewhere, w->settings->signer_policy), 0);
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

#define TEST(name) cmocka_unit_test_setup(name, running_reset)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_revocation_is_over_when_it_is_answered),
        TEST(who_waits_for_a_revocation_polls),
        TEST(a_revocation_is_refused_in_its_own_body),
        TEST(a_question_is_answered_at_once),
        TEST(who_waits_for_a_crl_polls),
        TEST(a_question_that_waits_is_kept_once),
        TEST(a_question_that_cannot_be_answered_is_an_error),
        TEST(what_is_signed_goes_on_when_it_was_not_answered),
        TEST(a_pkiconf_that_never_left_is_sent_again),
        TEST(a_copy_that_is_not_of_now_is_too_old),
        TEST(the_root_is_told_to_who_does_not_know_it),
        TEST(an_answer_says_how_long_its_certconf_is_waited_for),
        TEST(what_supersedes_is_confirmed),
        TEST(what_a_profile_wants_confirmed_is_confirmed),
        TEST(what_a_profile_ignores_is_not_missed),
        TEST(a_poll_hears_why_it_waits),
        TEST(an_answer_is_to_the_request_and_its_number),
        TEST(who_waits_keeps_the_connection),
        TEST(the_key_of_a_mac_is_kept_while_its_transaction_goes_on),
        TEST(the_log_says_who_is_refused),
        TEST(an_answer_that_cannot_be_made_is_a_failure_of_ours),
        TEST(an_answer_that_cannot_be_kept_is_a_failure_of_ours),
        TEST(a_refusal_with_the_failinfo_0_is_one),
        TEST(a_signer_that_dies_is_waited_for),
        TEST(a_question_that_waits_goes_on_when_it_was_not_answered),
        TEST(what_cannot_be_forgotten_either),
    };

    return cmocka_run_group_tests(tests, set_up, running_teardown);
}
