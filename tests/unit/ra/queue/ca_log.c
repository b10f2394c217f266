/* SPDX-License-Identifier: Apache-2.0 */
/* What the RA remembers of the CA's log, and a CA that shows another one. */
#include "ra/queue/ca_log.h"

#include <string.h>

#include "base/file.h"
#include "ra/queue/queue.h"
#include "tests/unit/ra/running.h"

static void
set_note(struct running *w, uint64_t size, uint8_t root)
{
    buf_free(&w->note);
    w->note = notes_sign(&w->log, size, root);
    w->welcome.checkpoint = buf_span(&w->note);
}

static bool
is_met(struct running *w)
{
    (void)w;
    return tap_has("\"link-up\"") || tap_has("\"stale-ca\"") || tap_has("\"wrong-log\"");
}

/* A new connection with a CA that says w->welcome. */
static void
meet(struct running *w)
{
    running_ca_goes(w);
    running_until(w, running_is_down);
    tap_mark();
    w->ca_is_mute = true; /* so that nobody waits for its being up */
    running_ca_comes(w);
    w->ca_is_mute = false;
    running_until(w, is_met);
    running_for(w, 1);
}

static int64_t
kept(struct running *w)
{
    return running_number(w, "SELECT max(size) FROM ca_log", STORE_NO_VALUES);
}

static int64_t awaited;

static bool
is_kept(struct running *w)
{
    return kept(w) == awaited;
}

static void
comes_to_be_kept(struct running *w, int64_t size)
{
    awaited = size;
    running_until(w, is_kept);
}

static void
each_connection_shows_what_was_seen_last(void **state)
{
    struct running *w = *state;
    const struct link_message told = {.type = LINK_CHECKPOINT};
    CLEANUP(buf_free) struct buf later = notes_sign(&w->log, 6, 6);

    set_note(w, 5, 5);
    meet(w);
    assert_true(queue_is_up(w->ra.queue));
    assert_int_equal(kept(w), 5);
    meet(w); /* the same again is no news */
    assert_true(queue_is_up(w->ra.queue));
    assert_true(span_equal(buf_span(&w->shown), buf_span(&w->note)));
    link_server_tell_all(w->ca,
                         &(struct link_message){.type = told.type, .checkpoint = buf_span(&later)});
    comes_to_be_kept(w, 6);
    set_note(w, 7, 7);
    meet(w);
    assert_true(span_equal(buf_span(&w->shown), buf_span(&later)));
}

static void
an_older_copy_or_another_history_gets_nothing(void **state)
{
    static const struct {
        uint64_t size;
        uint8_t root;
        const char *says;
    } rows[] = {
        {9, 9, "has 9 leaves, and had 10 before: it is an older copy"},
        {1, 1, "has 1 leaves, and had 10 before: it is an older copy"},
        {10, 9, "another root over 10 leaves than before: it is another history"},
    };
    struct running *w = *state;
    CLEANUP(member_free) struct member m = running_member(w);

    set_note(w, 10, 10);
    meet(w);
    w->asked[LINK_SUBMIT] = 0;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        set_note(w, rows[i].size, rows[i].root);
        meet(w);
        tap_need("\"stale-ca\"");
        tap_need(rows[i].says);
        assert_false(queue_is_up(w->ra.queue));
        assert_int_equal(kept(w), 10);
    }
    member_requests(&m, CMP_IR);
    w->settings->sync_wait = 0;
    CLEANUP(cmp_client_answer_free) struct cmp_client_answer waiting = member_asks(w, &m);
    (void)waiting; /* which is what it is told */
    assert_int_equal(w->asked[LINK_SUBMIT], 0);
    set_note(w, 10, 10);
    meet(w);
    running_becomes(w, &m, REQUESTS_ANSWERED); /* the right one gets it */
}

static void
one_that_becomes_older_while_it_is_there_gets_nothing_more(void **state)
{
    struct running *w = *state;
    CLEANUP(buf_free) struct buf older = notes_sign(&w->log, 11, 11);
    CLEANUP(buf_free) struct buf newer = notes_sign(&w->log, 13, 13);
    const struct link_message rows[] = {{.type = LINK_CHECKPOINT, .checkpoint = buf_span(&older)},
                                        {.type = LINK_CHECKPOINT, .checkpoint = buf_span(&newer)}};

    set_note(w, 12, 12);
    meet(w);
    tap_mark();
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) { /* then nothing makes it good again */
        link_server_tell_all(w->ca, &rows[i]);
        running_until(w, is_met);
        running_for(w, 50);
        tap_need("\"stale-ca\"");
        assert_false(queue_is_up(w->ra.queue));
        assert_string_equal(queue_link(w->ra.queue).state, "held");
        assert_int_equal(kept(w), 12);
    }
    meet(w);
    assert_true(queue_is_up(w->ra.queue));
}

static void
another_log_is_none_of_ours(void **state)
{
    struct running *w = *state;
    struct notes other = notes_new("log.test/other");
    struct notes thief = notes_new("log.test/ca");
    CLEANUP(buf_free) struct buf others = notes_sign(&other, 99, 1);
    CLEANUP(buf_free) struct buf thiefs = notes_sign(&thief, 99, 1);
    const struct {
        const char *vkey;
        const struct buf *note;
        const char *says;
    } rows[] = {
        {other.vkey, &others, "if it was begun by ceremony, name its log.vkey in log_key"},
        {thief.vkey, &thiefs, "if it was begun by ceremony, name its log.vkey in log_key"},
        {w->log.vkey, &thiefs, "wrong-log"},
        {w->log.vkey, &others, "wrong-log"},
        {"no key", &others, "not a verifier key"},
    };
    const struct link_message good = w->welcome;
    const int64_t before = kept(w);

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        w->welcome = good;
        w->welcome.log_key = span_str(rows[i].vkey);
        w->welcome.checkpoint = buf_span(rows[i].note);
        meet(w);
        tap_need("\"wrong-log\"");
        tap_need(rows[i].says);
        assert_false(queue_is_up(w->ra.queue));
    }
    assert_int_equal(kept(w), before);
    assert_int_equal(running_number(w, "SELECT count(*) FROM ca_log", STORE_NO_VALUES), 1);
    w->welcome = good;
    meet(w);
    notes_free(&other);
    notes_free(&thief);
}

/* ---- over its own starts ---- */

static struct ca_log *
start_again(struct running *w)
{
    struct err e = {0};
    struct ca_log *l = ca_log_new(&w->ra, &e);

    if (l == NULL) {
        fail_msg("%s", e.text);
    }
    return l;
}

static void
it_is_remembered_over_a_start(void **state)
{
    struct running *w = *state;
    CLEANUP(ca_log_cleanup) struct ca_log *l = NULL;
    CLEANUP(buf_free) struct buf older = notes_sign(&w->log, 1, 1);
    struct err e = {0};

    set_note(w, 20, 20);
    meet(w);
    assert_int_equal(kept(w), 20);
    l = start_again(w);
    assert_true(span_equal(ca_log_remembered(l), buf_span(&w->note)));
    assert_err(ca_log_show(l, span_str(w->log.vkey), buf_span(&older), &e), ERR_STALE, &e);
    assert_false(ca_log_is_busy(l));
}

/* The key that the configuration names counts, and what was seen of another log is no memory of it;
 * but it is kept. */
static void
the_configured_log_counts(void **state)
{
    struct running *w = *state;
    struct notes next = notes_new("log.test/next");
    CLEANUP(buf_free) struct buf first = notes_sign(&next, 1, 1);
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/next.vkey", w->dir);
    CLEANUP(ca_log_cleanup) struct ca_log *l = NULL;
    struct buf *pinned = &w->ra.credentials.log_key;
    struct err e = {0};

    assert_ok(file_write(path, span_str(next.vkey), 0644, &e), &e);
    assert_ok(ca_log_read_key(path, pinned, &e), &e);
    l = start_again(w);
    assert_int_equal(ca_log_remembered(l).n, 0);
    assert_err(ca_log_show(l, span_str(w->log.vkey), buf_span(&w->note), &e), ERR_DENIED, &e);
    assert_ok(ca_log_show(l, span_str(next.vkey), buf_span(&first), &e), &e);
    assert_true(ca_log_is_busy(l));
    while (ca_log_is_busy(l)) {
        running_for(w, 1);
    }
    buf_free(pinned);
    ca_log_free(l);
    l = start_again(w); /* it came last */
    assert_true(span_equal(ca_log_remembered(l), buf_span(&first)));
    assert_ok(file_write(path, SPAN_LITERAL("no key\n"), 0644, &e), &e);
    assert_err(ca_log_read_key(path, pinned, &e), ERR_INPUT, &e);
    assert_non_null(strstr(e.text, "log_key: "));
    buf_free(pinned);
    notes_free(&next);
}

/* What cannot be verified is no log that is learned. */
static void
the_first_that_verifies_is_learned(void **state)
{
    struct running *w = *state;
    struct notes thief = notes_new("log.test/thief");
    CLEANUP(buf_free) struct buf note = notes_sign(&w->log, 1, 1);
    CLEANUP(ca_log_cleanup) struct ca_log *l = NULL;
    struct err e = {0};

    running_sql(w, "DROP TRIGGER ca_log_kept", STORE_NO_VALUES);
    running_sql(w, "DELETE FROM ca_log", STORE_NO_VALUES);
    l = start_again(w);
    assert_err(ca_log_show(l, span_of(NULL, 0), buf_span(&note), &e), ERR_INPUT, &e);
    assert_err(ca_log_show(l, span_str(thief.vkey), buf_span(&note), &e), ERR_CRYPTO, &e);
    assert_ok(ca_log_show(l, span_str(w->log.vkey), buf_span(&note), &e), &e);
    while (ca_log_is_busy(l)) {
        running_for(w, 1);
    }
    assert_int_equal(kept(w), 1);
    notes_free(&thief);
}

int
main(void)
{
#define RUNNING(test) cmocka_unit_test_setup(test, running_reset)
    const struct CMUnitTest tests[] = {
        RUNNING(each_connection_shows_what_was_seen_last),
        RUNNING(an_older_copy_or_another_history_gets_nothing),
        RUNNING(one_that_becomes_older_while_it_is_there_gets_nothing_more),
        RUNNING(another_log_is_none_of_ours),
        RUNNING(it_is_remembered_over_a_start),
        RUNNING(the_configured_log_counts),
        RUNNING(the_first_that_verifies_is_learned),
    };

    return cmocka_run_group_tests(tests, running_setup, running_teardown);
}
