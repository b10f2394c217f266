/* SPDX-License-Identifier: Apache-2.0 */
/* What the CA says, and when: to what was asked, and to what nobody asked. */
#include "ra/queue/answer.h"

#include <string.h>

#include "base/ossl.h"
#include "ca/cmp/message/failure.h"
#include "ca/cmp/message/msg.h"
#include "tests/support/forge.h"
#include "tests/unit/ra/queue/telling.h"

enum { DAY = 24 * 60 * 60 };

static const uint8_t nowhere[LINK_RID_SIZE] = {0xff, 1, 2, 3};

/* Only what was sent under our certificate tells whether the CA takes it. */
static void
an_answer_to_something_else_says_nothing_of_the_ras_certificate(void **state)
{
    struct running *w = *state;
    CLEANUP(member_free) struct member m = running_member(w);
    const int64_t until = clock_now() + 1000;

    telling_ca.then = (struct link_message){
        .type = LINK_WAITING, .check_after = 3600, .phrase = span_str("officers look at it")};
    member_requests(&m, CMP_IR);
    telling_hears(w, &m, CMP_IP, CMP_WAITING);
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

    telling_ca.busy = 1;
    telling_ca.after = (struct link_message){
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
        telling_ca.first = rows[i].says;
        if (telling_ca.first.type == LINK_ISSUED) {
            telling_ca.first.body = buf_span(&certificate);
        }
        member_requests(&m, CMP_IR);
        telling_hears(w, &m, CMP_IP, CMP_ACCEPTED);
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

    telling_ca.holds = true;
    telling_waits(w, &m);
    running_until(w, telling_is_held);
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
            telling_ca.then = (struct link_message){.type = LINK_ISSUED, .body = rows[i].body};
            w->settings->sync_wait = rows[i].taken ? 60000 : TELLING_WAIT_MS;
            member_requests(&m, CMP_IR);
            telling_hears(w, &m, CMP_IP, rows[i].taken ? CMP_GRANTED_WITH_MODS : CMP_WAITING);
            telling_is_said(w, "the CA's certificate", rows[i].taken ? 0 : 1);
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
    telling_ca.then = (struct link_message){
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

    telling_ca.then = (struct link_message){
        .type = LINK_WAITING, .check_after = 3600, .phrase = span_str("officers look at it")};
    member_requests(&m, CMP_IR);
    telling_hears(w, &m, CMP_IP, CMP_WAITING);
    link_server_tell(w->ca, w->peer,
                     &(struct link_message){.type = LINK_REFUSED,
                                            .id = span_of(w->last_id, sizeof(w->last_id)),
                                            .fail_info = CMP_NOT_AUTHORIZED,
                                            .phrase = span_str("an officer said no")});
    running_becomes(w, &m, REQUESTS_REJECTED);
    telling_is_said(w, "\"refused-later\"", 1);
    tap_need("an officer said no");
    tap_mark();
    telling_ca.then = (struct link_message){
        .type = LINK_REFUSED, .fail_info = CMP_BAD_REQUEST, .phrase = span_str("no")};
    member_requests(&n, CMP_IR);
    member_is_refused(w, &n, CMP_IP, CMP_BAD_REQUEST, "no");
    assert_false(tap_has("refused-later"));
    /* who asked is gone, and nothing was said of it before */
    tap_mark();
    telling_ca.holds = true;
    telling_waits(w, &o);
    running_until(w, telling_is_held);
    running_ca_says(w, &(struct link_message){.type = LINK_REFUSED,
                                              .id = span_of(w->last_id, sizeof(w->last_id)),
                                              .fail_info = CMP_NOT_AUTHORIZED,
                                              .phrase = span_str("too late for you")});
    telling_is_said(w, "too late for you", 1);
    tap_need("\"refused-later\"");
}

/* What a certificate of ours was revoked for is known from then on. */
static void
a_revoked_signer_is_remembered(void **state)
{
    struct running *w = *state;
    CLEANUP(member_free) struct member m = running_member(w);

    telling_ca.holds = false;
    member_enrols(w, &m);
    m.client.certificate = m.certificate;
    telling_ca.then = (struct link_message){
        .type = LINK_REFUSED, .fail_info = CMP_BAD_REQUEST, .phrase = span_str("no")};
    member_requests(&m, CMP_KUR);
    member_is_refused(w, &m, CMP_KUP, CMP_BAD_REQUEST, "no");
    assert_int_equal(running_number(w, "SELECT revoked FROM certificate WHERE registration = ?",
                                    STORE_VALUES(store_text(m.id))),
                     0);
    telling_ca.then.fail_info = CMP_CERT_REVOKED;
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
    telling_ca.then = (struct link_message){.type = LINK_DEFERRED,
                                            .fail_info = CMP_SIGNER_NOT_TRUSTED,
                                            .check_after = 3600,
                                            .phrase = span_str("not this one")};
    w->settings->sync_wait = RUNNING_SIGNED_WAIT_MS;
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
    telling_ca.then = (struct link_message){.type = LINK_DEFERRED,
                                            .fail_info = CMP_SIGNER_NOT_TRUSTED,
                                            .check_after = 1,
                                            .phrase = span_str("revoked by an officer")};
    telling_waits_there(w, &m);
    running_until(w, is_refused);
    assert_false(tap_has("\"deferred\""));
    telling_ca.then.type = 0;
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

    telling_ca.then = (struct link_message){.type = LINK_DEFERRED,
                                            .fail_info = CMP_SYSTEM_UNAVAIL,
                                            .check_after = 3600,
                                            .phrase = span_str("no token in slot 4")};
    telling_waits_there(w, &m);
    telling_is_said(w, "\"deferred\"", 1);
    tap_need("the CA decides nothing (systemUnavail): no token in slot 4");
    telling_waits_there(w, &n);
    telling_ca.then.phrase = span_str("no token in slot 5");
    telling_waits_there(w, &o);
    telling_is_said(w, "\"deferred\"", 2);
    telling_ca.then.phrase = span_str("!");
    telling_waits_there(w, &r);
    telling_is_said(w, "\"deferred\"", 3);
    telling_ca.then.type = 0;
    member_enrols(w, &p); /* it decides again: the next time is news */
    telling_ca.then.type = LINK_DEFERRED;
    p.client.certificate = p.certificate;
    w->settings->sync_wait = RUNNING_SIGNED_WAIT_MS;
    member_requests(&p, CMP_KUR);
    telling_hears(w, &p, CMP_KUP, CMP_WAITING);
    telling_is_said(w, "\"deferred\"", 4);
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

    telling_ca.then = (struct link_message){
        .type = LINK_WAITING, .check_after = 3600, .phrase = span_str("officers look at it")};
    member_requests(&late, CMP_IR);
    telling_hears(w, &late, CMP_IP, CMP_WAITING);
    telling_ca.then =
        (struct link_message){.type = LINK_DEFERRED,
                              .fail_info = CMP_SYSTEM_UNAVAIL,
                              .check_after = 5, /* long after the other, on any machine */
                              .phrase = span_str("not now")};
    telling_waits_there(w, &m);
    assert_ok(buf_set(&of_m, buf_span(&w->last), &e), &e);
    telling_ca.then.fail_info = CMP_TIME_NOT_AVAILABLE;
    telling_ca.then.check_after = 1;
    telling_waits_there(w, &n);
    assert_ok(buf_set(&of_n, buf_span(&w->last), &e), &e);
    telling_ca.then.type = 0;
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

    telling_ca.then = (struct link_message){
        .type = LINK_WAITING, .check_after = 1, .phrase = span_str("officers look at it")};
    member_requests(&m, CMP_IR);
    telling_hears(w, &m, CMP_IP, CMP_WAITING);
    telling_ca.then.type = 0;
    w->asked[LINK_SUBMIT] = 0;
    running_becomes(w, &m, REQUESTS_ANSWERED);
    assert_int_equal(w->asked[LINK_SUBMIT], 1);
}

#define TEST(name) cmocka_unit_test_setup(name, telling_reset)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_answer_to_something_else_says_nothing_of_the_ras_certificate),
        TEST(what_is_said_of_an_entry_behind_busy_says_nothing_of_the_ras_certificate),
        TEST(an_answer_that_nobody_asked_for_changes_nothing),
        TEST(an_answer_counts_once),
        TEST(what_is_no_certificate_of_ours_is_not_delivered),
        TEST(a_phrase_is_kept_whole),
        TEST(what_is_refused_when_nobody_waits_is_in_the_log),
        TEST(a_revoked_signer_is_remembered),
        TEST(the_ras_own_certificate_is_not_accepted),
        TEST(a_reason_to_decide_nothing_is_said_once),
        TEST(each_entry_rests_as_long_as_the_ca_said),
        TEST(what_people_decide_is_asked_for_again),
    };

    return cmocka_run_group_tests(tests, running_setup, running_teardown);
}
