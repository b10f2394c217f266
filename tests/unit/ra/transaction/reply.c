/* SPDX-License-Identifier: Apache-2.0 */
/* What is answered to all that is not an ir with its certConf: rr, genm; and how. */
#include "ra/transaction/reply.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/ossl.h"
#include "ca/cmp/message/body.h"
#include "ca/cmp/message/der.h"
#include "ca/x509/profile/profiles.h"
#include "ra/secret/mac_cache.h"
#include "tests/unit/ra/transaction/talking.h"

enum { REASON = 4 /* superseded */ };

/* ---- what a test wants to know ---- */

static void
revokes(struct member *m)
{
    struct err e = {0};

    assert_ok(cmp_client_rr(&m->client, m->certificate, REASON, &m->state, &m->message, &e), &e);
}

/* ---- a CA that ---- */

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
    CLEANUP(member_free) struct member m = talking_signer(w);
    CLEANUP(cmp_client_answer_free) struct cmp_client_answer a = {0};

    revokes(&m);
    a = member_asks(w, &m);
    assert_int_equal(a.body, CMP_RP);
    assert_int_equal(a.status.status, CMP_ACCEPTED);
    assert_int_equal(w->asked[LINK_SUBMIT], 1);
    assert_int_equal(talking_last_number(w, &m, TALKING_LAST("body")), CMP_RR);
    assert_int_equal(talking_last_number(w, &m, TALKING_LAST("implicit")), 1);
    assert_int_equal(talking_last_number(w, &m, TALKING_LAST("state")), REQUESTS_CONFIRMED);
    talking_polls(&m, -1);
    talking_hears(w, &m, CMP_RP);
}

static void
who_waits_for_a_revocation_polls(void **state)
{
    struct running *w = *state;
    CLEANUP(member_free) struct member m = talking_signer(w);
    CLEANUP(cmp_client_answer_free) struct cmp_client_answer poll = {0};
    uint8_t rid[LINK_RID_SIZE];

    w->ca_does = talking_says_nothing;
    w->settings->sync_wait = RUNNING_SIGNED_WAIT_MS;
    revokes(&m);
    talking_hears_waiting(w, &m, CMP_ERROR); /* rp has no status waiting */
    running_until(w, running_is_submitted);
    memcpy(rid, w->last_id, sizeof(rid));
    talking_polls(&m, -1);
    poll = member_asks(w, &m);
    assert_int_equal(poll.body, CMP_POLLREP);
    assert_int_equal(poll.cert_req_id, -1);
    assert_int_equal(poll.check_after, 1);
    running_ca_says(w,
                    &(struct link_message){.type = LINK_REVOKED, .id = span_of(rid, sizeof(rid))});
    talking_becomes(w, &m, REQUESTS_ANSWERED);
    talking_polls(&m, -1);
    talking_hears(w, &m, CMP_RP);
}

/* By the CA, whose phrase may be short, and before it gets there. */
static void
a_revocation_is_refused_in_its_own_body(void **state)
{
    struct running *w = *state;
    CLEANUP(member_free) struct member m = talking_signer(w);
    CLEANUP(member_free) struct member other = talking_signer(w);
    struct err e = {0};

    assert_ok(cmp_client_rr(&m.client, other.certificate, REASON, &m.state, &m.message, &e), &e);
    member_is_refused(w, &m, CMP_RP, CMP_NOT_AUTHORIZED, "");
    assert_int_equal(w->asked[LINK_SUBMIT], 0);
    w->ca_does = refuses;
    revokes(&m);
    member_is_refused(w, &m, CMP_RP, CMP_BAD_CERT_ID, "!");
    m.state.recip_nonce_size = 0; /* a refusal's is not kept */
    talking_polls(&m, -1);
    member_is_refused(w, &m, CMP_RP, CMP_BAD_CERT_ID, "!");
}

/* ---- genm ---- */

static void
a_question_is_answered_at_once(void **state)
{
    struct running *w = *state;
    CLEANUP(member_free) struct member m = running_member(w);

    talking_asks(&m, TALKING_CA_CERTS);
    talking_hears(w, &m, CMP_GENP);
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

    talking_asks(&m, TALKING_CURRENT_CRL);
    talking_hears_waiting(w, &m, CMP_ERROR);
    assert_int_equal(talking_last_number(w, &m, TALKING_LAST("body")), CMP_GENM);
    talking_polls(&m, -1);
    poll = member_asks(w, &m);
    assert_int_equal(poll.body, CMP_POLLREP);
    assert_int_equal(poll.cert_req_id, -1);
    assert_int_equal(poll.check_after, 5);
    talking_asks(&n, TALKING_CURRENT_CRL);
    talking_hears_waiting(w, &n, CMP_ERROR);
    assert_int_equal(link(crl, there), 0);
    talking_polls(&m, -1);
    talking_hears(w, &m, CMP_GENP);
    assert_int_equal(talking_last_number(w, &m, TALKING_LAST("state")), REQUESTS_CONFIRMED);
    running_sql(w, "UPDATE enrolment SET state = 5, fail_info = 2 WHERE registration = ?",
                STORE_VALUES(store_text(n.id)));
    talking_polls(&n, -1);
    member_is_refused(w, &n, CMP_ERROR, CMP_BAD_REQUEST, ""); /* genp has no place for it */
    assert_int_equal(unlink(there), 0);
}

/* A copy of what waits, and a question that cannot be kept. */
static void
a_question_that_waits_is_kept_once(void **state)
{
    struct running *w = *state;
    CLEANUP(member_free) struct member m = running_member(w);

    talking_asks(&m, TALKING_CURRENT_CRL);
    talking_hears_waiting(w, &m, CMP_ERROR);
    m.state.recip_nonce_size = 0;
    running_sql(w, "UPDATE enrolment SET nonce = NULL WHERE registration = ?",
                STORE_VALUES(store_text(m.id))); /* what has a MAC could be answered all the same */
    member_is_refused(w, &m, CMP_ERROR, CMP_TRANSACTION_ID_IN_USE, "transactionID");
    running_sql(w,
                "CREATE TRIGGER other BEFORE INSERT ON seen WHEN new.until != 0 BEGIN INSERT INTO "
                "seen (identity, transaction_id, until) VALUES (new.identity, "
                "new.transaction_id, 0); END",
                STORE_NO_VALUES);
    talking_asks(&m, TALKING_CURRENT_CRL);
    member_is_refused(w, &m, CMP_ERROR, CMP_TRANSACTION_ID_IN_USE, "transactionID");
    tap_mark();
    talking_asks(&m, TALKING_CA_CERTS);
    member_is_refused(w, &m, CMP_ERROR, CMP_TRANSACTION_ID_IN_USE, "transactionID");
    tap_need("transactionIdInUse: this transactionID was used before");
    running_sql(w, "DROP TRIGGER other", STORE_NO_VALUES);
    running_sql(w,
                "CREATE TRIGGER never BEFORE INSERT ON seen BEGIN SELECT RAISE(ABORT, 'no'); END",
                STORE_NO_VALUES);
    talking_asks(&m, TALKING_CURRENT_CRL);
    talking_is_our_failure(w, &m);
    tap_mark();
    talking_asks(&m, TALKING_CA_CERTS);
    talking_is_our_failure(w, &m);
    running_sql(w, "DROP TRIGGER never", STORE_NO_VALUES);
    assert_int_equal(talking_tokens_left(w, &m), TALKING_BURST - 3); /* the copies are paid back */
}

static void
a_question_that_cannot_be_answered_is_an_error(void **state)
{
    struct running *w = *state;
    CLEANUP(member_free) struct member m = running_member(w);
    CLEANUP(mem_cleanup) char *elsewhere = mem_printf("%s.gone", w->settings->crl_dir);

    assert_int_equal(rename(w->settings->crl_dir, elsewhere), 0);
    talking_asks(&m, TALKING_CURRENT_CRL);
    member_is_refused(w, &m, CMP_ERROR, CMP_SYSTEM_FAILURE, "");
    assert_int_equal(rename(elsewhere, w->settings->crl_dir), 0);
    tap_need("\"genm-unanswered\"");
    tap_need("asked for currentCRL");
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
    CLEANUP(member_free) struct member o = talking_signer(w);
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
                "UPDATE signed SET json = CAST(replace(CAST(json AS TEXT), '\"proof\"', "
                "'\"supersedes\":\"00112233445566778899aabbccddeeff\",\"proof\"') AS BLOB) "
                "WHERE number = (SELECT signed FROM registration WHERE id = ?)",
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
    talking_hears_waiting(w, &m, CMP_IP);
    running_until(w, running_is_submitted);
    running_sql(w, "UPDATE enrolment SET profile = ? WHERE registration = ?",
                STORE_VALUES(store_text(profile), store_text(m.id)));
    certificate = running_ca_issues(w, buf_span(&w->last));
    issued.id = span_of(w->last_id, sizeof(w->last_id));
    issued.body = buf_span(&certificate);
    running_ca_says(w, &issued);
    talking_becomes(w, &m, REQUESTS_ANSWERED);
    talking_polls(&m, 0);
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
                "UPDATE signed SET json = CAST(replace(CAST(json AS TEXT), '\"nf-tls\"', "
                "'\"loose\"') AS BLOB) WHERE number = (SELECT signed FROM "
                "registration WHERE id = ?)",
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
    w->ca_does = talking_says_nothing;
    w->settings->sync_wait = TALKING_WAIT_MS;
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

    w->ca_does = talking_says_nothing;
    w->settings->sync_wait = TALKING_WAIT_MS;
    member_requests(&m, CMP_IR);
    talking_hears_waiting(w, &m, CMP_IP);
    running_sql(w, "UPDATE enrolment SET check_after = 7, phrase = 'people' WHERE registration = ?",
                STORE_VALUES(store_text(m.id)));
    talking_polls(&m, 0);
    h = running_post(w, buf_span(&m.message));
    assert_int_equal(h.status, 200);
    assert_int_equal(count(h.body, span_str("people")), 1);
    running_sql(w, "UPDATE enrolment SET check_after = 0 WHERE registration = ?",
                STORE_VALUES(store_text(m.id))); /* it does not keep it waiting */
    m.state.recip_nonce_size = 0;
    talking_polls(&m, 0);
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
    talking_hears(w, &n, CMP_IP);
    n.state.recip_nonce_size = 0;
    talking_polls(&n, 0);
    ip = member_asks(w, &n);
    assert_int_equal(ip.body, CMP_IP);
    assert_int_equal(ip.cert_req_id, 0);
}

/* What waits is not told when to poll: only a pollRep closes the connection for it. */
static void
who_waits_keeps_the_connection(void **state)
{
    struct running *w = *state;
    CLEANUP(member_free) struct member m = talking_signer(w);
    CLEANUP(talk_free) struct talk t = {0};
    struct running_task *task;

    w->ca_does = talking_says_nothing;
    w->settings->sync_wait = RUNNING_SIGNED_WAIT_MS;
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
    talking_confirms(&m, &ip.certificate, true);
    talking_hears(w, &m, CMP_PKICONF);
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
    };

    return cmocka_run_group_tests(tests, talking_setup, running_teardown);
}
