/* SPDX-License-Identifier: Apache-2.0 */
/* The queue over a real link, to a CA that is busy, away, wrong or out of its mind. */
#include "ra/queue/queue.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "ca/cmp/message/failure.h"
#include "ca/cmp/queue.h"
#include "ca/link/client.h"
#include "ca/x509/profile/profiles.h"
#include "pkcs11/client/client.h"
#include "ra/queue/heads.h"
#include "ra/queue/pump.h"
#include "tests/support/forge.h"
#include "tests/support/kill.h"
#include "tests/unit/ra/queue/filling.h"

enum { MESSAGE_LARGE = 60 * 1024, DAY = 24 * 60 * 60, WAIT_MS = 60, WRAPS_MAX = 64 };

static const uint8_t nowhere[LINK_RID_SIZE] = {0xff, 1, 2, 3};

/* ---- what a CA does ---- */

static struct {
    size_t busy;               /* so many times first */
    struct link_message after; /* said of the same behind that; type 0: nothing */
    uint64_t last;             /* sequence */
    bool in_order;             /* never one before it */
    bool holds;                /* says nothing to SUBMIT */
    size_t held;
    struct link_message first; /* said before anything else; type 0: nothing */
    struct link_message then;  /* instead of the good answer; type 0: that */
    struct buf before;         /* the SUBMIT before */
} ca;

static void
does(struct running *w, link_peer peer, const struct link_message *m)
{
    struct link_message answer = {.type = LINK_BUSY, .id = m->id};

    if (m->type != LINK_SUBMIT) {
        running_ca_does(w, peer, m);
        return;
    }
    ca.in_order = ca.in_order && m->sequence > ca.last;
    ca.last = m->sequence;
    if (ca.holds) {
        ca.held++;
        return;
    }
    if (ca.busy > 0) {
        ca.busy--;
        link_server_answer(w->ca, peer, &answer);
        if (ca.after.type != 0) {
            ca.after.id = m->id;
            link_server_tell(w->ca, peer, &ca.after);
        }
        return;
    }
    if (ca.first.type != 0) {
        link_server_tell(w->ca, peer, &ca.first);
    }
    if (ca.then.type != 0) {
        answer = ca.then;
        answer.id = ca.then.id.n == 0 ? m->id : ca.then.id;
        link_server_answer(w->ca, peer, &answer);
        return;
    }
    running_ca_does(w, peer, m);
}

static int
reset(void **state)
{
    struct running *w = *state;

    buf_free(&ca.before);
    memset(&ca, 0, sizeof(ca));
    ca.in_order = true;
    /* what other tests left in the queue is of no more interest */
    running_sql(w, "UPDATE queue SET answered = 1", STORE_NO_VALUES);
    (void)running_reset(state);
    w->ca_does = does;
    return 0;
}

static void
hears(struct running *w, struct member *m, enum cmp_body body, enum cmp_status status)
{
    CLEANUP(cmp_client_answer_free) struct cmp_client_answer a = member_asks(w, m);

    if (a.body != body || a.status.status != status) {
        fail_msg("%s %d \"%s\"", cmp_body_name(a.body), (int)a.status.status, a.status.text);
    }
}

/* Until the log has said it so often. */
static void
is_said(struct running *w, const char *text, size_t n)
{
    for (int i = 0; tap_count(text) < n; i++) {
        running_for(w, 5);
        if (i == 2000) {
            fail_msg("it is not said %zu times: %s", n, text);
        }
    }
    assert_int_equal(tap_count(text), n);
}

static void
waits(struct running *w, struct member *m)
{
    w->settings->sync_wait = WAIT_MS;
    member_requests(m, CMP_IR);
    hears(w, m, CMP_IP, CMP_WAITING);
    w->settings->sync_wait = 60000;
}

/* The same, and the CA has got it. */
static void
waits_there(struct running *w, struct member *m)
{
    w->asked[LINK_SUBMIT] = 0;
    waits(w, m);
    running_until(w, running_is_submitted);
}

/* ---- entries that are there already ---- */

/* So many, each under a head of its own. */
static void
fill_heads(struct running *w, const struct member *m, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        fill(w, m, 1, 1);
    }
}

static int64_t
count_open(struct running *w)
{
    return running_number(w, "SELECT count(*) FROM queue WHERE answered = 0", STORE_NO_VALUES);
}

static bool
is_empty(struct running *w)
{
    return count_open(w) == 0;
}

static bool
is_held(struct running *w)
{
    (void)w;
    return ca.held > 0;
}

static bool
one_is_left(struct running *w)
{
    return count_open(w) == 1;
}

static int
stamp_of_another(void *arg, struct span text, uint8_t out[REQUESTS_STAMP_SIZE], struct err *e)
{
    (void)arg;
    return sha256(text, out, e);
}

/* ---- the link ---- */

static void
a_busy_ca_is_asked_again(void **state)
{
    struct running *w = *state;
    CLEANUP(member_free) struct member m = running_member(w);

    ca.busy = 2;
    member_enrols(w, &m);
    assert_int_equal(w->asked[LINK_SUBMIT], 4); /* ir three times, certConf */
}

static void
what_nobody_waits_for_is_sent_again_too(void **state)
{
    struct running *w = *state;
    CLEANUP(member_free) struct member m = running_member(w);

    ca.holds = true;
    waits(w, &m);
    running_until(w, is_held);
    running_ca_says(w, &(struct link_message){.type = LINK_BUSY,
                                              .id = span_of(w->last_id, sizeof(w->last_id))});
    ca.holds = false;
    running_becomes(w, &m, REQUESTS_ANSWERED);
    assert_int_equal(w->asked[LINK_SUBMIT], 2);
}

/* More than a page of the queue (64). */
static void
a_long_queue_is_sent_in_order_and_each_entry_once(void **state)
{
    struct running *w = *state;
    CLEANUP(member_free) struct member m = running_member(w);
    const size_t rows[] = {1, 64, 65};

    ca.then = (struct link_message){.type = LINK_CONFIRMED};
    ca.then.type = LINK_REFUSED;
    ca.then.fail_info = CMP_BAD_REQUEST;
    ca.then.phrase = span_str("no");
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        running_ca_goes(w);
        running_until(w, running_is_down);
        fill(w, &m, rows[i], 1);
        w->asked[LINK_SUBMIT] = 0;
        ca.last = 0;
        running_ca_comes(w);
        running_until(w, is_empty);
        if (w->asked[LINK_SUBMIT] != rows[i] || !ca.in_order) {
            fail_msg("%zu entries: %zu sent", rows[i], w->asked[LINK_SUBMIT]);
        }
    }
}

/* The CA reads no more, and the link takes 1 MiB at most. */
static void
a_link_that_is_full_is_tried_again(void **state)
{
    struct running *w = *state;
    CLEANUP(member_free) struct member m = running_member(w);
    const size_t n = 26;

    running_ca_goes(w);
    running_until(w, running_is_down);
    fill(w, &m, n, MESSAGE_LARGE);
    w->open_max = 1;
    ca.holds = true;
    running_ca_comes(w);
    running_until(w, is_held);
    running_for(w, 300); /* more than the pause between tries */
    assert_int_equal(w->asked[LINK_SUBMIT], 1);
    ca.holds = false;
    ca.then = (struct link_message){
        .type = LINK_REFUSED, .fail_info = CMP_BAD_REQUEST, .phrase = span_str("no")};
    running_ca_says(w, &(struct link_message){.type = LINK_REFUSED,
                                              .id = span_of(w->last_id, sizeof(w->last_id)),
                                              .fail_info = CMP_BAD_REQUEST,
                                              .phrase = span_str("no")});
    running_until(w, is_empty);
    assert_int_equal(w->asked[LINK_SUBMIT], n);
    assert_true(ca.in_order);
}

static bool
is_wrapping(struct running *w)
{
    return w->ra.heads_asked == WRAPS_MAX;
}

/* More heads than are asked for at once. */
static void
what_nobody_has_signed_is_signed_all_of_it(void **state)
{
    struct running *w = *state;
    CLEANUP(member_free) struct member m = running_member(w);
    const pid_t signer = signer_pid(w->ra.signer);

    ca.then = (struct link_message){
        .type = LINK_REFUSED, .fail_info = CMP_BAD_REQUEST, .phrase = span_str("no")};
    running_ca_goes(w);
    running_until(w, running_is_down);
    fill_heads(w, &m, WRAPS_MAX + 1);
    assert_int_equal(test_kill(signer, SIGSTOP), 0);
    w->asked[LINK_SUBMIT] = 0;
    running_ca_comes(w);
    running_until(w, is_wrapping);
    running_for(w, 20); /* the last one is looked at, too */
    assert_int_equal(test_kill(signer, SIGCONT), 0);
    running_until(w, is_empty);
    assert_int_equal(w->asked[LINK_SUBMIT], WRAPS_MAX + 1);
    assert_true(ca.in_order);
}

/* Admitted under another key, in a batch; and one that somebody wrote into ra.db. */
static void
what_another_key_committed_takes_another_place(void **state)
{
    struct running *w = *state;
    CLEANUP(member_free) struct member m = running_member(w);
    struct filling f = filling_of(w, &m, 3, 1);
    struct filling forged = filling_of(w, &m, 1, 1);
    struct err e = {0};

    ca.then = (struct link_message){
        .type = LINK_REFUSED, .fail_info = CMP_BAD_REQUEST, .phrase = span_str("no")};
    running_ca_goes(w);
    running_until(w, running_is_down);
    forged.author.stamp = stamp_of_another;
    filling_run(w, &forged);
    f.author.ra[0] ^= 1;
    filling_run(w, &f);
    w->asked[LINK_SUBMIT] = 0;
    ca.last = f.head.first + 2;
    running_ca_comes(w);
    running_until(w, one_is_left);
    running_for(w, 1200); /* it is looked at again */
    assert_int_equal(w->asked[LINK_SUBMIT], 3);
    assert_true(ca.in_order); /* behind where they were */
    assert_ok(running_chain(w, &e), &e);
    assert_int_equal(tap_count("\"not-wrapped\""), 1);
    tap_need("is not sealed by this RA");
    filling_clear(&f);
    filling_clear(&forged);
}

static void
a_link_that_breaks_loses_nothing(void **state)
{
    struct running *w = *state;
    CLEANUP(member_free) struct member m = running_member(w);
    CLEANUP(talk_free) struct talk t = {0};
    CLEANUP(cmp_client_answer_free) struct cmp_client_answer a = {0};
    struct running_task *task;
    struct err e = {0};

    ca.holds = true;
    member_requests(&m, CMP_IR);
    t = running_cmp(w, "/.well-known/cmp", "Connection: close\r\n", buf_span(&m.message));
    task = running_begin(w, talk_run, &t);
    running_until(w, is_held);
    running_ca_goes(w);
    running_until(w, running_is_down);
    running_for(w, 400); /* two tries at least */
    assert_int_equal(tap_count("\"link-down\""), 1);
    assert_false(running_is_over(task));
    ca.holds = false;
    running_ca_comes(w);
    running_end(w, task);
    assert_int_equal(t.heard.status, 200);
    assert_ok(cmp_client_read(&m.client, t.heard.body, NULL, &m.state, &a, &e), &e);
    assert_int_equal(a.body, CMP_IP);
    assert_int_equal(w->asked[LINK_SUBMIT], 2);
    /* It was up: when it breaks again that is news. */
    running_ca_goes(w);
    running_until(w, running_is_down);
    assert_int_equal(tap_count("\"link-down\""), 2);
}

/* What is on the wire stays there when something else is sent again. */
static void
what_is_on_the_wire_is_not_sent_twice(void **state)
{
    struct running *w = *state;
    CLEANUP(member_free) struct member m = running_member(w);
    CLEANUP(member_free) struct member n = running_member(w);

    ca.holds = true;
    waits(w, &m);
    running_until(w, is_held);
    ca.holds = false;
    ca.busy = 1;
    member_enrols(w, &n);
    assert_int_equal(w->asked[LINK_SUBMIT], 4); /* of m once; of n ir twice, certConf */
    assert_int_equal(running_state(w, &m), REQUESTS_QUEUED);
}

/* The CA tells the end of what waits to whom it has from. */
static void
over_a_new_connection_what_rests_is_sent_too(void **state)
{
    struct running *w = *state;
    CLEANUP(member_free) struct member m = running_member(w);

    ca.then = (struct link_message){
        .type = LINK_WAITING, .check_after = 3600, .phrase = span_str("officers look at it")};
    member_requests(&m, CMP_IR);
    hears(w, &m, CMP_IP, CMP_WAITING);
    running_ca_goes(w);
    running_until(w, running_is_down);
    ca.then.type = 0;
    w->asked[LINK_SUBMIT] = 0;
    running_ca_comes(w);
    running_becomes(w, &m, REQUESTS_ANSWERED);
    assert_int_equal(w->asked[LINK_SUBMIT], 1);
}

/* Only what was sent under our certificate tells whether the CA takes it. */
static void
an_answer_to_something_else_says_nothing_of_the_ras_certificate(void **state)
{
    struct running *w = *state;
    CLEANUP(member_free) struct member m = running_member(w);
    const int64_t until = clock_now() + 1000;

    ca.then = (struct link_message){
        .type = LINK_WAITING, .check_after = 3600, .phrase = span_str("officers look at it")};
    member_requests(&m, CMP_IR);
    hears(w, &m, CMP_IP, CMP_WAITING);
    w->ra.own.refused_until = until;
    link_server_tell(w->ca, w->peer,
                     &(struct link_message){.type = LINK_REFUSED,
                                            .id = span_of(w->last_id, sizeof(w->last_id)),
                                            .fail_info = CMP_NOT_AUTHORIZED,
                                            .phrase = span_str("no")});
    running_becomes(w, &m, REQUESTS_REJECTED);
    assert_int_equal(w->ra.own.refused_until, until);
    w->ra.own.refused_until = 0;
}

/* It was sent, but the CA did not look at it then. */
static void
what_is_said_of_an_entry_behind_busy_says_nothing_of_the_ras_certificate(void **state)
{
    struct running *w = *state;
    CLEANUP(member_free) struct member m = running_member(w);
    const int64_t until = clock_now() + 1000;

    ca.busy = 1;
    ca.after = (struct link_message){
        .type = LINK_REFUSED, .fail_info = CMP_BAD_REQUEST, .phrase = span_str("no")};
    w->ra.own.refused_until = until;
    member_requests(&m, CMP_IR);
    member_is_refused(w, &m, CMP_IP, CMP_BAD_REQUEST, "no");
    assert_int_equal(w->ra.own.refused_until, until);
    w->ra.own.refused_until = 0;
}

/* ---- answers ---- */

static void
an_answer_that_nobody_asked_for_changes_nothing(void **state)
{
    struct running *w = *state;
    CLEANUP(buf_free) struct buf certificate = BUF_INIT(LINK_CERTIFICATE_MAX);
    struct span rid = span_of(nowhere, sizeof(nowhere));
    struct err e = {0};
    const struct {
        struct link_message says;
        const char *reason; /* NULL: nothing is said of it */
    } rows[] = {
        {{.type = LINK_ISSUED, .id = rid}, "ISSUED from the CA"},
        {{.type = LINK_CONFIRMED, .id = rid}, "CONFIRMED from the CA"},
        {{.type = LINK_REVOKED, .id = rid}, "REVOKED from the CA"},
        {{.type = LINK_REFUSED, .id = rid, .fail_info = 2, .phrase = span_str("no")},
         "REFUSED from the CA"},
        {{.type = LINK_REFUSED, .id = rid, .fail_info = CMP_CERT_REVOKED, .phrase = span_str("no")},
         "REFUSED from the CA"},
        {{.type = LINK_WAITING, .id = rid, .check_after = 60, .phrase = span_str("people")},
         "WAITING from the CA"},
        {{.type = LINK_DEFERRED, .id = rid, .check_after = 60, .phrase = span_str("not now")},
         NULL},
        {{.type = LINK_BUSY, .id = rid}, NULL},
        {{.type = LINK_REGISTERED, .id = rid}, "REGISTERED without a question"},
        {{.type = LINK_CANCELLED, .id = span_of(nowhere, LINK_REGISTRATION_SIZE)},
         "CANCELLED without a question"},
        {{.type = LINK_BUSY, .id = span_of(nowhere, LINK_REGISTRATION_SIZE)},
         "BUSY without a question"},
        {{.type = LINK_ROLE_IS, .id = rid, .phrase = span_str("officer")},
         "ROLE_IS without a question"},
    };

    assert_ok(OSSL_ENCODE(X509, w->officer, &certificate, &e), &e);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(member_free) struct member m = running_member(w);

        tap_mark();
        ca.first = rows[i].says;
        if (ca.first.type == LINK_ISSUED) {
            ca.first.body = buf_span(&certificate);
        }
        member_requests(&m, CMP_IR);
        hears(w, &m, CMP_IP, CMP_ACCEPTED);
        running_for(w, 1);
        if (rows[i].reason != NULL ? !tap_has(rows[i].reason)
                                   : tap_has("answer-refused") || tap_has("answer-unknown")) {
            fail_msg("%s: nothing says \"%s\"", link_type_name(rows[i].says.type),
                     rows[i].reason == NULL ? "-" : rows[i].reason);
        }
    }
}

static void
an_answer_counts_once(void **state)
{
    struct running *w = *state;
    CLEANUP(member_free) struct member m = running_member(w);
    CLEANUP(buf_free) struct buf certificate = {0};
    struct link_message issued = {.type = LINK_ISSUED};
    uint8_t rid[LINK_RID_SIZE];

    ca.holds = true;
    waits(w, &m);
    running_until(w, is_held);
    memcpy(rid, w->last_id, sizeof(rid));
    certificate = running_ca_issues(w, buf_span(&w->last));
    issued.id = span_of(rid, sizeof(rid));
    issued.body = buf_span(&certificate);
    running_ca_says(w, &issued);
    link_server_tell(w->ca, w->peer, &issued);
    running_becomes(w, &m, REQUESTS_ANSWERED);
    running_for(w, 10);
    assert_false(tap_has("answer-refused"));
    assert_false(tap_has("refused-later"));
    link_server_tell(w->ca, w->peer,
                     &(struct link_message){.type = LINK_REFUSED,
                                            .id = span_of(rid, sizeof(rid)),
                                            .fail_info = CMP_BAD_REQUEST,
                                            .phrase = span_str("not any more")});
    running_for(w, 50);
    assert_int_equal(running_state(w, &m), REQUESTS_ANSWERED);
}

/* The second UTCTime of a certificate. */
static void
spoil_not_after(struct buf *der)
{
    uint8_t *p = memmem(der->p, der->n, "\x17\x0d", 2);

    assert_non_null(p);
    p = memmem(p + 1, der->n - (size_t)(p + 1 - der->p), "\x17\x0d", 2);
    assert_non_null(p);
    memset(p + 2, '9', 12);
}

static void
what_is_no_certificate_of_ours_is_not_delivered(void **state)
{
    struct running *w = *state;
    CLEANUP(buf_free) struct buf long_serial = BUF_INIT(LINK_CERTIFICATE_MAX);
    CLEANUP(buf_free) struct buf no_time = BUF_INIT(LINK_CERTIFICATE_MAX);
    CLEANUP(buf_free) struct buf serial = BUF_INIT(LINK_CERTIFICATE_MAX);
    struct forge forge = {.subject = "CN=x",
                          .key = w->pki->issuing_key,
                          .issuer = w->pki->issuing,
                          .issuer_key = w->pki->issuing_key,
                          .not_before = clock_now() - 60,
                          .not_after = clock_now() + DAY,
                          .extensions = {FORGE_LEAF}};
    CLEANUP(x509_cleanup) X509 *of_20 = NULL;
    CLEANUP(x509_cleanup) X509 *of_21 = NULL;
    struct err e = {0};

    forge.serial = "4100000000000000000000000000000000000000";
    of_20 = forge_certificate(&forge);
    forge.serial = "410000000000000000000000000000000000000000";
    of_21 = forge_certificate(&forge);
    assert_ok(OSSL_ENCODE(X509, of_20, &serial, &e), &e);
    assert_ok(OSSL_ENCODE(X509, of_21, &long_serial, &e), &e);
    assert_ok(buf_set(&no_time, buf_span(&serial), &e), &e);
    spoil_not_after(&no_time);
    {
        const struct {
            const char *name;
            struct span body;
            bool taken;
        } rows[] = {{"no certificate", SPAN_LITERAL("hello"), false},
                    {"a serial number of 21 octets", buf_span(&long_serial), false},
                    {"notAfter is no time", buf_span(&no_time), false},
                    {"a serial number of 20 octets", buf_span(&serial), true}};

        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
            CLEANUP(member_free) struct member m = running_member(w);

            tap_mark();
            ca.then = (struct link_message){.type = LINK_ISSUED, .body = rows[i].body};
            w->settings->sync_wait = rows[i].taken ? 60000 : WAIT_MS;
            member_requests(&m, CMP_IR);
            hears(w, &m, CMP_IP, rows[i].taken ? CMP_GRANTED_WITH_MODS : CMP_WAITING);
            is_said(w, "the CA's certificate", rows[i].taken ? 0 : 1);
        }
    }
}

/* The last octet of the longest phrase is kept, too. */
static void
a_phrase_is_kept_whole(void **state)
{
    struct running *w = *state;
    CLEANUP(member_free) struct member m = running_member(w);
    char phrase[LINK_PHRASE_MAX + 1];

    memset(phrase, 'y', sizeof(phrase));
    phrase[LINK_PHRASE_MAX - 1] = '!';
    phrase[LINK_PHRASE_MAX] = '\0';
    ca.then = (struct link_message){
        .type = LINK_REFUSED, .fail_info = CMP_BAD_REQUEST, .phrase = span_str(phrase)};
    member_requests(&m, CMP_IR);
    member_is_refused(w, &m, CMP_IP, CMP_BAD_REQUEST, phrase);
}

static void
what_is_refused_when_nobody_waits_is_in_the_log(void **state)
{
    struct running *w = *state;
    CLEANUP(member_free) struct member m = running_member(w);
    CLEANUP(member_free) struct member n = running_member(w);
    CLEANUP(member_free) struct member o = running_member(w);

    ca.then = (struct link_message){
        .type = LINK_WAITING, .check_after = 3600, .phrase = span_str("officers look at it")};
    member_requests(&m, CMP_IR);
    hears(w, &m, CMP_IP, CMP_WAITING);
    link_server_tell(w->ca, w->peer,
                     &(struct link_message){.type = LINK_REFUSED,
                                            .id = span_of(w->last_id, sizeof(w->last_id)),
                                            .fail_info = CMP_NOT_AUTHORIZED,
                                            .phrase = span_str("an officer said no")});
    running_becomes(w, &m, REQUESTS_REJECTED);
    running_for(w, 5);
    tap_need("\"refused-later\"");
    tap_need("an officer said no");
    tap_mark();
    ca.then = (struct link_message){
        .type = LINK_REFUSED, .fail_info = CMP_BAD_REQUEST, .phrase = span_str("no")};
    member_requests(&n, CMP_IR);
    member_is_refused(w, &n, CMP_IP, CMP_BAD_REQUEST, "no");
    assert_false(tap_has("refused-later"));
    /* who asked is gone, and nothing was said of it before */
    tap_mark();
    ca.holds = true;
    waits(w, &o);
    running_until(w, is_held);
    running_ca_says(w, &(struct link_message){.type = LINK_REFUSED,
                                              .id = span_of(w->last_id, sizeof(w->last_id)),
                                              .fail_info = CMP_NOT_AUTHORIZED,
                                              .phrase = span_str("too late for you")});
    is_said(w, "too late for you", 1);
    tap_need("\"refused-later\"");
}

/* What a certificate of ours was revoked for is known from then on. */
static void
a_revoked_signer_is_remembered(void **state)
{
    struct running *w = *state;
    CLEANUP(member_free) struct member m = running_member(w);

    ca.holds = false;
    member_enrols(w, &m);
    m.client.certificate = m.certificate;
    ca.then = (struct link_message){
        .type = LINK_REFUSED, .fail_info = CMP_BAD_REQUEST, .phrase = span_str("no")};
    member_requests(&m, CMP_KUR);
    member_is_refused(w, &m, CMP_KUP, CMP_BAD_REQUEST, "no");
    assert_int_equal(running_number(w, "SELECT revoked FROM certificate WHERE registration = ?",
                                    STORE_VALUES(store_text(m.id))),
                     0);
    ca.then.fail_info = CMP_CERT_REVOKED;
    member_requests(&m, CMP_KUR);
    member_is_refused(w, &m, CMP_KUP, CMP_CERT_REVOKED, "no");
    assert_int_equal(running_number(w, "SELECT revoked FROM certificate WHERE registration = ?",
                                    STORE_VALUES(store_text(m.id))),
                     1);
}

/* ---- nothing is decided ---- */

static bool
is_refused(struct running *w)
{
    return w->ra.own.refused_until > clock_now();
}

static void
the_ras_own_certificate_is_not_accepted(void **state)
{
    struct running *w = *state;
    CLEANUP(member_free) struct member m = running_member(w);
    CLEANUP(member_free) struct member n = running_member(w);
    CLEANUP(heard_free) struct heard h = {0};

    member_enrols(w, &n);
    n.client.certificate = n.certificate;
    ca.then = (struct link_message){.type = LINK_DEFERRED,
                                    .fail_info = CMP_SIGNER_NOT_TRUSTED,
                                    .check_after = 3600,
                                    .phrase = span_str("not this one")};
    w->settings->sync_wait = WAIT_MS;
    member_requests(&n,
                    CMP_KUR); /* while the CA was asked nobody could verify "waiting" any more */
    h = running_post(w, buf_span(&n.message));
    assert_int_equal(h.status, 503);
    assert_int_equal(h.body.n, 0);
    assert_true(heard_has(&h, "Retry-After: 60"));
    tap_need("the CA does not accept");
    tap_need("not this one");
    w->ra.own.refused_until = 0;
    tap_mark();
    w->asked[LINK_SUBMIT] = 0;
    ca.then = (struct link_message){.type = LINK_DEFERRED,
                                    .fail_info = CMP_SIGNER_NOT_TRUSTED,
                                    .check_after = 1,
                                    .phrase = span_str("revoked by an officer")};
    waits_there(w, &m);
    running_until(w, is_refused);
    assert_false(tap_has("\"deferred\""));
    ca.then.type = 0;
    running_becomes(w, &m, REQUESTS_ANSWERED); /* asked again of itself */
    assert_int_equal(w->ra.own.refused_until, 0);
    assert_int_equal(w->asked[LINK_SUBMIT], 2);
}

static void
a_reason_to_decide_nothing_is_said_once(void **state)
{
    struct running *w = *state;
    CLEANUP(member_free) struct member m = running_member(w);
    CLEANUP(member_free) struct member n = running_member(w);
    CLEANUP(member_free) struct member o = running_member(w);
    CLEANUP(member_free) struct member p = running_member(w);
    CLEANUP(member_free) struct member r = running_member(w);

    ca.then = (struct link_message){.type = LINK_DEFERRED,
                                    .fail_info = CMP_SYSTEM_UNAVAIL,
                                    .check_after = 3600,
                                    .phrase = span_str("no token in slot 4")};
    waits_there(w, &m);
    is_said(w, "\"deferred\"", 1);
    tap_need("the CA decides nothing (systemUnavail): no token in slot 4");
    waits_there(w, &n);
    ca.then.phrase = span_str("no token in slot 5");
    waits_there(w, &o);
    is_said(w, "\"deferred\"", 2);
    ca.then.phrase = span_str("!");
    waits_there(w, &r);
    is_said(w, "\"deferred\"", 3);
    ca.then.type = 0;
    member_enrols(w, &p); /* it decides again: the next time is news */
    ca.then.type = LINK_DEFERRED;
    p.client.certificate = p.certificate;
    w->settings->sync_wait = WAIT_MS;
    member_requests(&p, CMP_KUR);
    hears(w, &p, CMP_KUP, CMP_WAITING);
    is_said(w, "\"deferred\"", 4);
}

/* What is to be asked about later does not keep back what is due sooner, and is not forgotten for
 * it. One that was received in the future, says the CA, takes another place before it is sent
 * again. */
static void
each_entry_rests_as_long_as_the_ca_said(void **state)
{
    struct running *w = *state;
    CLEANUP(member_free) struct member late = running_member(w);
    CLEANUP(member_free) struct member m = running_member(w);
    CLEANUP(member_free) struct member n = running_member(w);
    CLEANUP(buf_free) struct buf of_m = BUF_INIT(CMP_NESTED_MAX);
    CLEANUP(buf_free) struct buf of_n = BUF_INIT(CMP_NESTED_MAX);
    struct err e = {0};

    ca.then = (struct link_message){
        .type = LINK_WAITING, .check_after = 3600, .phrase = span_str("officers look at it")};
    member_requests(&late, CMP_IR);
    hears(w, &late, CMP_IP, CMP_WAITING);
    ca.then = (struct link_message){.type = LINK_DEFERRED,
                                    .fail_info = CMP_SYSTEM_UNAVAIL,
                                    .check_after = 5, /* long after the other, on any machine */
                                    .phrase = span_str("not now")};
    waits_there(w, &m);
    assert_ok(buf_set(&of_m, buf_span(&w->last), &e), &e);
    ca.then.fail_info = CMP_TIME_NOT_AVAILABLE;
    ca.then.check_after = 1;
    waits_there(w, &n);
    assert_ok(buf_set(&of_n, buf_span(&w->last), &e), &e);
    ca.then.type = 0;
    w->asked[LINK_SUBMIT] = 0;
    running_becomes(w, &n, REQUESTS_ANSWERED);
    assert_false(span_equal(buf_span(&of_n), buf_span(&w->last)));
    running_becomes(w, &m, REQUESTS_ANSWERED);
    assert_true(span_equal(buf_span(&of_m), buf_span(&w->last))); /* as it was */
    assert_int_equal(running_state(w, &late), REQUESTS_QUEUED);
    assert_int_equal(w->asked[LINK_SUBMIT], 2);
}

/* Nobody polls, and what the CA said got lost. */
static void
what_people_decide_is_asked_for_again(void **state)
{
    struct running *w = *state;
    CLEANUP(member_free) struct member m = running_member(w);

    ca.then = (struct link_message){
        .type = LINK_WAITING, .check_after = 1, .phrase = span_str("officers look at it")};
    member_requests(&m, CMP_IR);
    hears(w, &m, CMP_IP, CMP_WAITING);
    ca.then.type = 0;
    w->asked[LINK_SUBMIT] = 0;
    running_becomes(w, &m, REQUESTS_ANSWERED);
    assert_int_equal(w->asked[LINK_SUBMIT], 1);
}

/* ---- WELCOME ---- */

static bool
is_met(struct running *w)
{
    (void)w;
    return tap_has("\"link-up\"") || tap_has("\"wrong-ca\"");
}

static void
meet(struct running *w)
{
    running_ca_goes(w);
    running_until(w, running_is_down);
    tap_mark();
    w->asked[LINK_HELLO] = 0;
    w->ca_is_mute = true; /* so that nobody waits for its being up */
    running_ca_comes(w);
    w->ca_is_mute = false;
    running_until(w, is_met);
}

static void
another_ca_gets_nothing(void **state)
{
    struct running *w = *state;
    CLEANUP(member_free) struct member m = running_member(w);
    CLEANUP(mem_cleanup) char *document = NULL;
    CLEANUP(mem_cleanup) char *base64 = NULL;
    CLEANUP(buf_free) struct buf cms = {0};
    CLEANUP(buf_free) struct buf almost = BUF_INIT(LINK_CERTIFICATE_MAX);
    CLEANUP(buf_free) struct buf almost_root = BUF_INIT(LINK_CERTIFICATE_MAX);
    const struct link_message good = w->welcome;
    char instance[37];
    struct err e = {0};

    running_instance(instance);
    document = running_document(instance, "", 1);
    cms = running_signed(w, document);
    base64 = base64_dup(buf_span(&cms));
    assert_ok(buf_set(&almost, good.body, &e), &e);
    almost.p[almost.n - 1] ^= 1;
    assert_ok(buf_set(&almost_root, good.root, &e), &e);
    almost_root.p[almost_root.n - 1] ^= 1;
    for (int i = 0; i < 4; i++) {
        w->welcome = good;
        w->welcome.body = i == 0 ? good.root : i == 2 ? buf_span(&almost) : good.body;
        w->welcome.root = i == 1 ? good.body : i == 3 ? buf_span(&almost_root) : good.root;
        meet(w);
        tap_need("the CA has another issuing or root certificate");
        assert_false(queue_is_up(w->ra.queue));
        assert_null(
            running_ask(w, json_pack("{s:s, s:s}", "command", "register", "cms", base64), &e));
        assert_int_equal(e.code, ERR_DENIED);
        assert_string_equal(e.text, "the CA at link_socket is not the configured one");
    }
    waits(w, &m);
    assert_int_equal(w->asked[LINK_SUBMIT], 0);
    assert_int_equal(w->asked[LINK_REGISTER], 1); /* of the member */
    w->welcome = good;
    meet(w);
    running_becomes(w, &m, REQUESTS_ANSWERED);
}

static void
a_welcome_says_how_long_ago_certificates_begin(void **state)
{
    struct running *w = *state;
    const struct link_message good = w->welcome;
    const int window = w->settings->message_time_window;
    const struct {
        uint32_t backdate;
        int behind;
        bool said;
    } rows[] = {{0, window, false},
                {1, 1, true},
                {(uint32_t)window - 1, window - 1, true},
                {(uint32_t)window, window, false},
                {(uint32_t)window + 1, window, false}};

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        w->welcome.backdate = rows[i].backdate;
        meet(w);
        if (w->ra.behind_s != rows[i].behind || tap_has("\"backdate-short\"") != rows[i].said) {
            fail_msg("backdate %u: %d s", rows[i].backdate, w->ra.behind_s);
        }
    }
    w->welcome = good;
    meet(w);
}

static void
a_welcome_says_what_should_be_known_of_a_ca(void **state)
{
    struct running *w = *state;
    const struct link_message good = w->welcome;
    uint8_t hash[SHA256_SIZE];
    struct err e = {0};

    assert_ok(profiles_hash(w->settings->profiles, hash, &e), &e);
    w->welcome.id = span_of(hash, sizeof(hash));
    meet(w);
    assert_false(tap_has("\"profiles-differ\""));
    hash[SHA256_SIZE - 1] ^= 1;
    meet(w);
    tap_need("the CA has another file of profiles");
    w->welcome = good;
    w->welcome.software = true;
    meet(w);
    assert_false(tap_has("\"software-token\"")); /* that was said when it came first, or not */
    w->welcome = good;
    meet(w);
    tap_need("\"link-up\"");
    assert_false(tap_has("\"profiles-differ\"")); /* it does not say which it has */
}

static void
who_asks_while_the_link_is_down_hears_so(void **state)
{
    struct running *w = *state;
    CLEANUP(mem_cleanup) char *document = NULL;
    CLEANUP(mem_cleanup) char *base64 = NULL;
    CLEANUP(buf_free) struct buf cms = {0};
    char instance[37];
    struct err e = {0};

    running_instance(instance);
    document = running_document(instance, "", 1);
    cms = running_signed(w, document);
    base64 = base64_dup(buf_span(&cms));
    running_ca_goes(w);
    running_until(w, running_is_down);
    assert_null(running_ask(w, json_pack("{s:s, s:s}", "command", "register", "cms", base64), &e));
    assert_int_equal(e.code, ERR_BUSY);
    assert_non_null(strstr(e.text, "link to the CA: "));
}

/* ---- the pump, with a link of its own ---- */

static struct {
    struct link_client *link;
    struct flights flights;
    struct pump *pump;
    bool up;
    struct head *head; /* of own_item() */
    bool item_signed;
    struct buf entry;
    uint8_t rid[REQUESTS_RID_SIZE];
} own;

static void
own_up(void *arg, const struct link_message *welcome)
{
    (void)arg;
    (void)welcome;
    own.up = true;
}

static void
own_message(void *arg, const struct link_message *m)
{
    (void)arg;
    (void)m;
}

static void
own_down(void *arg, const struct err *why)
{
    (void)arg;
    (void)why;
}

static bool
own_is_up(struct running *w)
{
    (void)w;
    return own.up;
}

/* Nobody else sends what is in the queue, and the CA says nothing to it. */
static void
own_begin(struct running *w)
{
    const struct link_client_options options = {.base = w->ra.base,
                                                .path = w->settings->link,
                                                .server_uid = (uid_t)-1,
                                                .up = own_up,
                                                .message = own_message,
                                                .down = own_down};
    struct err e = {0};

    running_settle(w);
    queue_free(w->ra.queue);
    w->ra.queue = NULL;
    ca.holds = true;
    memset(&own, 0, sizeof(own));
    own.link = link_client_new(&options, &e);
    assert_non_null(own.link);
    running_until(w, own_is_up);
    own.pump = pump_new(&w->ra, own.link, &own.flights);
}

static void
item_signed(struct head_waiter *waiter, const struct err *why)
{
    (void)waiter;
    assert_null(why);
    own.item_signed = true;
}

static bool
item_is_signed(struct running *w)
{
    (void)w;
    return own.item_signed;
}

/* One whose head is signed, and that is in the queue no more. */
static struct queue_item
own_item(struct running *w, const struct member *m)
{
    struct filling f = filling_of(w, m, 1, 1);
    struct head_waiter waiter = {.done = item_signed};
    struct err e = {0};

    filling_run(w, &f);
    own.head = head_new(&f.head, &e);
    assert_non_null(own.head);
    own.head = heads_know(w->ra.heads, own.head);
    assert_ok(heads_ask(w->ra.heads, own.head, &waiter, &e), &e);
    running_until(w, item_is_signed);
    buf_move(&own.entry, &f.entry);
    memcpy(own.rid, f.rid, sizeof(own.rid));
    filling_clear(&f);
    running_sql(w, "UPDATE queue SET answered = 1", STORE_NO_VALUES);
    return (struct queue_item){.rid = own.rid,
                               .sequence = head_first(own.head),
                               .message = SPAN_LITERAL("x"),
                               .entry = buf_span(&own.entry),
                               .head = own.head};
}

static void
on_up_again(void *arg)
{
    (void)arg;
}

static bool
queue_is_back(struct running *w)
{
    return queue_is_up(w->ra.queue);
}

static void
own_end(struct running *w)
{
    const struct queue_options options = {.ra = &w->ra, .up = on_up_again};
    struct err e = {0};

    link_client_free(own.link);
    pump_free(own.pump);
    flights_clear(&own.flights);
    head_release(w->ra.heads, own.head);
    buf_free(&own.entry);
    running_sql(w, "UPDATE queue SET answered = 1", STORE_NO_VALUES);
    w->ra.queue = queue_new(&options, &e);
    assert_non_null(w->ra.queue);
    running_until(w, queue_is_back);
}

static bool
two_are_held(struct running *w)
{
    (void)w;
    return ca.held >= 2;
}

static bool
three_are_held(struct running *w)
{
    (void)w;
    return ca.held == 3;
}

/* What was to be sent when they came together is sent when the first run is over: all of it. */
static void
runs_of_the_pump_come_one_after_the_other(void **state)
{
    struct running *w = *state;
    CLEANUP(member_free) struct member m = running_member(w);

    own_begin(w);
    fill(w, &m, 2, 1);
    running_sql(w,
                "UPDATE queue SET again_at = ? WHERE sequence = (SELECT max(sequence) FROM queue)",
                STORE_VALUES(store_int(clock_now() + 3600)));
    pump_start(own.pump, false);
    pump_start(own.pump, true);
    pump_start(own.pump, false);
    running_until(w, two_are_held);
    running_for(w, 10);
    assert_int_equal(ca.held, 2);
    assert_true(ca.in_order);
    own_end(w);
}

/* It is committed by then, so the run finds it; and in its place. */
static void
what_comes_while_the_pump_runs_is_left_to_it(void **state)
{
    struct running *w = *state;
    CLEANUP(member_free) struct member m = running_member(w);
    struct queue_item item;

    own_begin(w);
    item = own_item(w, &m);
    fill(w, &m, 2, 1);
    pump_start(own.pump, false);
    pump_admitted(own.pump, &item);
    running_until(w, two_are_held);
    running_for(w, 10);
    assert_int_equal(ca.held, 2); /* it is not in the queue */
    pump_admitted(own.pump, &item);
    running_until(w, three_are_held);
    own_end(w);
}

static bool
one_is_asked_for(struct running *w)
{
    return w->ra.heads_asked == 1;
}

/* From the decision until it has left, whoever has read it. */
static void
what_is_withdrawn_is_not_sent(void **state)
{
    struct running *w = *state;
    CLEANUP(member_free) struct member m = running_member(w);
    struct filling f = filling_of(w, &m, 1, 1);

    own_begin(w);
    filling_run(w, &f);
    flights_get(&own.flights, f.rid)->withdrawn = true;
    pump_start(own.pump, false);
    running_settle(w);
    running_for(w, 20);
    assert_int_equal(ca.held, 0);
    flights_find(&own.flights, f.rid)->withdrawn = false;
    /* its row goes while its head is signed */
    assert_int_equal(test_kill(signer_pid(w->ra.signer), SIGSTOP), 0);
    pump_start(own.pump, false);
    running_until(w, one_is_asked_for);
    running_sql(w, "DELETE FROM queue WHERE rid = ?",
                STORE_VALUES(store_blob(span_of(f.rid, sizeof(f.rid)))));
    assert_int_equal(test_kill(signer_pid(w->ra.signer), SIGCONT), 0);
    running_settle(w);
    running_for(w, 20);
    assert_int_equal(ca.held, 0);
    filling_clear(&f);
    own_end(w);
}

/* Whatever is under way when it turns out not to be ours. */
static void
a_ca_that_is_not_ours_gets_nothing(void **state)
{
    struct running *w = *state;
    CLEANUP(member_free) struct member m = running_member(w);
    struct queue_item item;

    own_begin(w);
    item = own_item(w, &m);
    fill(w, &m, 1, 1);
    assert_int_equal(test_kill(signer_pid(w->ra.signer), SIGSTOP), 0);
    pump_start(own.pump, false);
    running_until(w, one_is_asked_for);
    pump_hold(own.pump, true);
    assert_true(pump_is_held(own.pump));
    assert_false(pump_is_usable(own.pump));
    assert_int_equal(test_kill(signer_pid(w->ra.signer), SIGCONT), 0);
    running_settle(w);
    assert_int_equal(ca.held, 0);
    pump_admitted(own.pump, &item);
    pump_start(own.pump, false);
    running_for(w, 10);
    assert_int_equal(ca.held, 0);
    pump_hold(own.pump, false);
    pump_start(own.pump, false); /* and then held before it has read */
    pump_hold(own.pump, true);
    running_for(w, 10);
    assert_int_equal(ca.held, 0);
    pump_hold(own.pump, false);
    pump_start(own.pump, false);
    running_until(w, is_held);
    assert_int_equal(ca.held, 1);
    own_end(w);
}

/* When it comes first. */
static void
a_ca_whose_key_is_in_a_token_is_fine(void **state)
{
    struct running *w = *state;

    tap_mark();
    own_begin(w);
    own_end(w);
    tap_need("\"link-up\"");
    assert_false(tap_has("\"software-token\""));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_busy_ca_is_asked_again, reset),
        cmocka_unit_test_setup(what_nobody_waits_for_is_sent_again_too, reset),
        cmocka_unit_test_setup(a_long_queue_is_sent_in_order_and_each_entry_once, reset),
        cmocka_unit_test_setup(a_link_that_is_full_is_tried_again, reset),
        cmocka_unit_test_setup(what_nobody_has_signed_is_signed_all_of_it, reset),
        cmocka_unit_test_setup(what_another_key_committed_takes_another_place, reset),
        cmocka_unit_test_setup(a_link_that_breaks_loses_nothing, reset),
        cmocka_unit_test_setup(what_is_on_the_wire_is_not_sent_twice, reset),
        cmocka_unit_test_setup(over_a_new_connection_what_rests_is_sent_too, reset),
        cmocka_unit_test_setup(an_answer_to_something_else_says_nothing_of_the_ras_certificate,
                               reset),
        cmocka_unit_test_setup(
            what_is_said_of_an_entry_behind_busy_says_nothing_of_the_ras_certificate, reset),
        cmocka_unit_test_setup(an_answer_that_nobody_asked_for_changes_nothing, reset),
        cmocka_unit_test_setup(an_answer_counts_once, reset),
        cmocka_unit_test_setup(what_is_no_certificate_of_ours_is_not_delivered, reset),
        cmocka_unit_test_setup(a_phrase_is_kept_whole, reset),
        cmocka_unit_test_setup(what_is_refused_when_nobody_waits_is_in_the_log, reset),
        cmocka_unit_test_setup(a_revoked_signer_is_remembered, reset),
        cmocka_unit_test_setup(the_ras_own_certificate_is_not_accepted, reset),
        cmocka_unit_test_setup(a_reason_to_decide_nothing_is_said_once, reset),
        cmocka_unit_test_setup(each_entry_rests_as_long_as_the_ca_said, reset),
        cmocka_unit_test_setup(what_people_decide_is_asked_for_again, reset),
        cmocka_unit_test_setup(another_ca_gets_nothing, reset),
        cmocka_unit_test_setup(a_welcome_says_how_long_ago_certificates_begin, reset),
        cmocka_unit_test_setup(a_welcome_says_what_should_be_known_of_a_ca, reset),
        cmocka_unit_test_setup(who_asks_while_the_link_is_down_hears_so, reset),
        cmocka_unit_test_setup(runs_of_the_pump_come_one_after_the_other, reset),
        cmocka_unit_test_setup(what_comes_while_the_pump_runs_is_left_to_it, reset),
        cmocka_unit_test_setup(what_is_withdrawn_is_not_sent, reset),
        cmocka_unit_test_setup(a_ca_that_is_not_ours_gets_nothing, reset),
        cmocka_unit_test_setup(a_ca_whose_key_is_in_a_token_is_fine, reset),
    };

    return cmocka_run_group_tests(tests, running_setup, running_teardown);
}
