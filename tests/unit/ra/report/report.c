/* SPDX-License-Identifier: Apache-2.0 */
/* What an RA says of itself, until the CA has it. */
#include "ra/report/report.h"

#include <stdio.h>
#include <string.h>

#include "base/tlog/ra_report.h"
#include "ca/cmp/report.h"
#include "tests/unit/ra/running.h"

enum { HOUR = 3600, REPORTS_MAX = 16, TICK_MS = 50 };

#define WHY "proof of possession"
#define REGISTRATION "00112233445566778899aabbccddeeff"

/* The CA, and what it got: verified as it verifies it. */
static struct {
    enum link_type says; /* LINK_BUSY: nothing at all */
    bool holds;          /* it answers later: */
    link_peer held_peer;
    uint8_t held[SHA256_SIZE];
    size_t n;
    struct buf text[REPORTS_MAX];
    size_t refused, lines; /* of all of them: what those lines count, and how many */
    uint64_t others[RA_REPORT_FAIL_INFO_MAX + 1];
    size_t did, starts, stops;
    char who[RA_REPORT_WHY_MAX + 1]; /* of the last */
    char untold[RA_REPORT_WHY_MAX + 1];
} ca;

static void
count(struct span lines)
{
    struct ra_report_line line;

    while (ra_report_next(&lines, &line)) {
        switch (line.what) {
        case RA_REPORT_START:
            ca.starts++;
            break;
        case RA_REPORT_STOP:
            ca.stops++;
            break;
        case RA_REPORT_REFUSED:
            ca.lines++;
            ca.refused += line.count;
            break;
        case RA_REPORT_OTHERS:
            ca.others[line.fail_info] += line.count;
            break;
        case RA_REPORT_DID:
            if (span_equal(line.word[0], SPAN_LITERAL("untold"))) {
                (void)snprintf(ca.untold, sizeof(ca.untold), "%.*s", (int)line.text.n,
                               (const char *)line.text.p);
                break;
            }
            ca.did++;
            (void)snprintf(ca.who, sizeof(ca.who), "%.*s", (int)line.text.n,
                           (const char *)line.text.p);
            break;
        case RA_REPORT_WHATS:
            fail();
        }
    }
}

static void
does(struct running *w, link_peer peer, const struct link_message *m)
{
    struct link_message answer = {.type = ca.says, .id = m->id};
    const struct credentials *c = &w->ra.credentials;
    uint8_t hash[SHA256_SIZE];
    struct cmp_report report;
    struct ra_report said;
    struct span lines;
    struct err e = {0};

    if (m->type != LINK_REPORT) {
        running_ca_does(w, peer, m);
        return;
    }
    assert_ok(cmp_report_decode(m->body, &report, &e), &e);
    assert_ok(cmp_report_verify(&report, w->certificate,
                                span_of(c->issuing_hash, sizeof(c->issuing_hash)), &e),
              &e);
    assert_ok(sha256(report.text, hash, &e), &e);
    assert_true(span_equal(m->id, span_of(hash, sizeof(hash))));
    assert_true(ca.n < REPORTS_MAX);
    ca.text[ca.n] = BUF_INIT(RA_REPORT_TEXT_MAX);
    assert_ok(buf_set(&ca.text[ca.n], report.text, &e), &e);
    ca.n++;
    if (ca.says == LINK_BUSY) {
        return;
    }
    if (ca.holds) {
        ca.held_peer = peer;
        memcpy(ca.held, hash, sizeof(ca.held));
        return;
    }
    if (ca.says == LINK_REPORTED) {
        assert_ok(ra_report_parse(report.text, &said, &lines, &e), &e);
        count(lines);
    } else {
        answer.fail_info = 2;
        answer.phrase = SPAN_LITERAL("no such report");
    }
    link_server_answer(w->ca, peer, &answer);
}

static struct ra_report
head_of(size_t i)
{
    struct ra_report head;
    struct span lines;
    struct err e = {0};

    assert_ok(ra_report_parse(buf_span(&ca.text[i]), &head, &lines, &e), &e);
    return head;
}

static void
expect_behind(size_t i, size_t before)
{
    const struct ra_report head = head_of(i);
    uint8_t hash[SHA256_SIZE];
    struct err e = {0};

    assert_ok(sha256(buf_span(&ca.text[before]), hash, &e), &e);
    assert_memory_equal(head.previous, hash, sizeof(hash));
    assert_true(head.number > head_of(before).number);
}

static size_t wanted;

static bool
has_come(struct running *w)
{
    (void)w;
    return ca.n >= wanted;
}

static bool
is_told(struct running *w)
{
    return !report_is_busy(w->ra.report);
}

/* Until the CA has so many. */
static void
comes(struct running *w, size_t n)
{
    wanted = n;
    running_until(w, has_come);
    running_for(w, 20);
    assert_int_equal(ca.n, n);
}

static int
begins(void **state)
{
    struct running *w = *state;

    (void)running_reset(state);
    memset(&ca, 0, sizeof(ca));
    ca.says = LINK_REPORTED;
    w->ca_does = does;
    w->settings->report_period = 0; /* all at the next tick */
    w->ra.report = report_new(&w->ra, TICK_MS);
    return 0;
}

static bool
is_idle(struct running *w)
{
    return !report_with_signer(w->ra.report);
}

static int
ends(void **state)
{
    struct running *w = *state;

    running_until(w, is_idle);
    running_settle(w);
    if (w->ca != NULL) {
        running_ca_goes(w);
        running_until(w, running_is_down); /* nobody waits for an answer */
    }
    report_free(w->ra.report);
    w->ra.report = NULL;
    for (size_t i = 0; i < ca.n; i++) {
        buf_free(&ca.text[i]);
    }
    return 0;
}

static void
it_begins_counts_and_stops(void **state)
{
    struct running *w = *state;
    struct report *r = w->ra.report;

    comes(w, 1); /* of the start, whatever the period is */
    assert_int_equal(ca.starts, 1);
    w->settings->report_period = HOUR;
    for (int i = 0; i < 3; i++) {
        report_refused(r, REGISTRATION, CMP_BAD_POP, WHY);
    }
    report_refused(r, "", CMP_BAD_POP, WHY);                 /* nobody that is known, */
    report_refused(r, REGISTRATION, CMP_BAD_REQUEST, WHY);   /* another failure, */
    report_refused(r, REGISTRATION, CMP_BAD_POP, "another"); /* another reason */
    report_refused(r, REGISTRATION, (enum cmp_failure)(RA_REPORT_FAIL_INFO_MAX + 1), WHY);
    report_did(r, "register", true, REGISTRATION, "operator\n1");
    report_did(r, "import", false, NULL, "operator 2");
    running_for(w, 6 * TICK_MS);
    assert_int_equal(ca.n, 1); /* not before its time, */
    report_stop(r, "told to");
    assert_true(report_is_busy(r));
    comes(w, 2); /* or the end */
    running_until(w, is_told);
    assert_int_equal(ca.refused, 7);
    assert_int_equal(ca.lines, 5);
    assert_int_equal(ca.did, 2);
    assert_string_equal(ca.who, "operator 2");
    assert_int_equal(ca.stops, 1);
    expect_behind(1, 0);
}

/* What has no place of its own is counted by its failInfo. */
static void
others_are_counted(void **state)
{
    struct running *w = *state;
    struct report *r = w->ra.report;
    char id[33];

    comes(w, 1);
    for (unsigned i = 0; i < REPORT_LINES_MAX + 5; i++) {
        (void)snprintf(id, sizeof(id), "%032x", i);
        report_refused(r, id, i % 2 == 0 ? CMP_BAD_POP : CMP_BAD_REQUEST, WHY);
    }
    (void)snprintf(id, sizeof(id), "%032x", 0);
    report_refused(r, id, CMP_BAD_POP, WHY); /* that one has its place */
    comes(w, 2);
    assert_int_equal(ca.lines, REPORT_LINES_MAX);
    assert_int_equal(ca.refused, REPORT_LINES_MAX + 1);
    assert_int_equal(ca.others[CMP_BAD_POP], 3);
    assert_int_equal(ca.others[CMP_BAD_REQUEST], 2);
}

/* A report that is full is due, whatever the period is; a stop has its place behind what had none.
 */
static void
commands_have_their_limit_and_a_stop_its_place(void **state)
{
    struct running *w = *state;
    struct report *r = w->ra.report;

    comes(w, 1);
    w->settings->report_period = HOUR;
    for (unsigned i = 0; i < REPORT_DID_MAX - 1; i++) {
        report_did(r, "register", true, REGISTRATION, "a\nb");
    }
    running_for(w, 6 * TICK_MS);
    assert_int_equal(ca.n, 1); /* one more fits */
    report_did(r, "register", true, REGISTRATION, "a\nb");
    comes(w, 2);
    assert_int_equal(ca.did, REPORT_DID_MAX);
    assert_string_equal(ca.who, "a?b");
    for (unsigned i = 0; i < REPORT_DID_MAX + 5; i++) {
        report_did(r, "register", true, REGISTRATION, "c");
    }
    tap_need("not told to the CA: did: too many at once");
    report_stop(r, "told to");
    comes(w, 3);
    assert_int_equal(ca.did, 2 * REPORT_DID_MAX);
    assert_string_equal(ca.untold, "5 more");
    assert_int_equal(ca.stops, 1);
}

static void
fill(struct report *r)
{
    for (unsigned i = 0; i < REPORT_DID_MAX; i++) {
        report_did(r, "register", true, REGISTRATION, "a");
    }
}

/* What the CA takes within an hour is not used up by commands. */
static void
full_reports_have_their_limit(void **state)
{
    struct running *w = *state;
    struct report *r = w->ra.report;
    const time_t hour = clock_now() / HOUR;

    comes(w, 1);
    w->settings->report_period = HOUR;
    for (unsigned i = 0; i < REPORT_FULL_MAX; i++) {
        fill(r);
        comes(w, 2 + i);
    }
    fill(r);
    running_for(w, 6 * TICK_MS);
    if (clock_now() / HOUR == hour) {
        assert_int_equal(ca.n, 1 + REPORT_FULL_MAX);
    }
    report_stop(r, "told to");
    comes(w, 2 + REPORT_FULL_MAX);
    assert_int_equal(ca.did, (REPORT_FULL_MAX + 1) * REPORT_DID_MAX);
}

/* A stop while another report is with the CA: it is told when that is there. */
static void
a_stop_waits_for_the_report_before_it(void **state)
{
    struct running *w = *state;
    struct report *r = w->ra.report;

    comes(w, 1);
    ca.holds = true;
    report_did(r, "register", true, REGISTRATION, "a");
    comes(w, 2);
    report_stop(r, "told to");
    running_for(w, 6 * TICK_MS); /* a CA that is busy */
    assert_true(report_is_busy(r));
    assert_int_equal(ca.n, 2);
    ca.holds = false;
    link_server_answer(
        w->ca, ca.held_peer,
        &(struct link_message){.type = LINK_REPORTED, .id = span_of(ca.held, sizeof(ca.held))});
    comes(w, 3);
    running_until(w, is_told);
    assert_int_equal(ca.stops, 1);
}

static void
an_hour_has_its_limit(void **state)
{
    struct running *w = *state;
    struct report *r = w->ra.report;
    const time_t hour = clock_now() / HOUR;
    char id[33];

    comes(w, 1);
    for (unsigned i = 0; i < REPORT_HOUR_MAX + 10; i++) {
        (void)snprintf(id, sizeof(id), "%032x", i);
        report_refused(r, id, CMP_BAD_POP, WHY);
        if (i % REPORT_LINES_MAX == REPORT_LINES_MAX - 1) {
            comes(w, 2 + i / REPORT_LINES_MAX);
        }
    }
    comes(w, 2 + REPORT_HOUR_MAX / REPORT_LINES_MAX);
    assert_int_equal(ca.refused + ca.others[CMP_BAD_POP], REPORT_HOUR_MAX + 10);
    if (clock_now() / HOUR == hour) {
        assert_int_equal(ca.lines, REPORT_HOUR_MAX);
        assert_int_equal(ca.others[CMP_BAD_POP], 10);
    }
}

static bool
is_up_and_has_come(struct running *w)
{
    return running_is_up(w) && has_come(w);
}

/* The same text, until it is known to be there. */
static void
what_is_not_answered_is_said_again(void **state)
{
    struct running *w = *state;
    struct report *r = w->ra.report;

    comes(w, 1);
    ca.says = LINK_BUSY; /* it says nothing */
    report_refused(r, REGISTRATION, CMP_BAD_POP, WHY);
    comes(w, 2);
    report_refused(r, "", CMP_BAD_POP, WHY); /* for the next */
    running_ca_goes(w);
    running_until(w, running_is_down);
    report_refused(r, "", CMP_BAD_POP, WHY);
    ca.says = LINK_REPORTED;
    running_ca_comes(w);
    wanted = 4;
    running_until(w, is_up_and_has_come);
    running_for(w, 20);
    assert_int_equal(ca.n, 4);
    assert_true(span_equal(buf_span(&ca.text[1]), buf_span(&ca.text[2])));
    assert_int_equal(ca.refused, 3);
    assert_int_equal(ca.lines, 2);
    expect_behind(2, 0);
    expect_behind(3, 2);
}

static bool
is_dropped(struct running *w)
{
    (void)w;
    return tap_has("the CA takes no report: no such report");
}

static void
what_the_ca_refuses_is_dropped(void **state)
{
    struct running *w = *state;
    struct report *r = w->ra.report;

    comes(w, 1);
    ca.says = LINK_REFUSED;
    report_refused(r, REGISTRATION, CMP_BAD_POP, WHY);
    comes(w, 2);
    running_until(w, is_dropped);
    ca.says = LINK_REPORTED;
    report_refused(r, "", CMP_BAD_POP, WHY);
    comes(w, 3);
    assert_int_equal(ca.refused, 1);
    expect_behind(2, 1); /* so it can be seen that one is missing */
}

/* An RA stops, whether there is a CA or not. */
static void
no_stop_waits_for_a_ca_that_is_away(void **state)
{
    struct running *w = *state;

    comes(w, 1);
    running_ca_goes(w);
    running_until(w, running_is_down);
    report_stop(w->ra.report, "told to");
    assert_false(report_is_busy(w->ra.report));
}

static void
there_may_be_none(void **state)
{
    (void)state;
    report_refused(NULL, "", CMP_BAD_POP, WHY);
    report_did(NULL, "register", true, NULL, "");
    report_stop(NULL, "");
    assert_false(report_is_busy(NULL));
    assert_false(report_with_signer(NULL));
    report_free(NULL);
}

#define SCENE(f) cmocka_unit_test_setup_teardown(f, begins, ends)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        SCENE(it_begins_counts_and_stops),
        SCENE(others_are_counted),
        SCENE(an_hour_has_its_limit),
        SCENE(commands_have_their_limit_and_a_stop_its_place),
        SCENE(full_reports_have_their_limit),
        SCENE(a_stop_waits_for_the_report_before_it),
        SCENE(what_is_not_answered_is_said_again),
        SCENE(what_the_ca_refuses_is_dropped),
        SCENE(no_stop_waits_for_a_ca_that_is_away),
        cmocka_unit_test(there_may_be_none),
    };

    return cmocka_run_group_tests(tests, running_setup, running_teardown);
}
