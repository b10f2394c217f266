/* SPDX-License-Identifier: Apache-2.0 */
/* The queue: in which order, until when, and what is forgotten of it. */
#include <string.h>

#include "tests/support/test.h"
#include "tests/support/tmpdir.h"
#include "tests/unit/db/requests/verb.h"

static int
verb_chain(struct store_db *db, void *arg, struct err *e)
{
    (void)arg;
    return requests_verify_chain(db, e);
}

struct expiring {
    int64_t now;
    int overdue;
    bool more;
};

static int
verb_expire(struct store_db *db, void *arg, struct err *e)
{
    struct expiring *x = arg;

    return requests_expire(db, x->now, &x->overdue, &x->more, e);
}

struct seen {
    uint64_t sequences[8];
    size_t n;
};

static void
see(void *arg, const struct requests_entry *entry)
{
    struct seen *s = arg;

    assert_true(entry->message.n > 8 && memcmp(entry->message.p, "message ", 8) == 0);
    s->sequences[s->n++] = entry->sequence;
}

static int
verb_open(struct store_db *db, void *arg, struct err *e)
{
    return requests_open_each(db, 1, INT64_MAX, 8, see, arg, e);
}

static void
the_queue_survives_a_restart_in_order(void **state)
{
    CLEANUP(tmpdir_cleanup) char *dir = tmpdir_new();
    CLEANUP(verb_end_cleanup) struct store *store = verb_store(dir);
    struct admitting rows[] = {verb_admitting("a", 1), verb_admitting("b", 2),
                               verb_admitting("c", 3), verb_admitting("d", 4)};
    struct seen seen = {.n = 0};
    struct err e;

    (void)state;
    verb_registration(store, ID, "ref", 9);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        assert_ok(verb_call(store, verb_admit, &rows[i], &e), &e);
        assert_int_equal(rows[i].sequence, i + 1);
    }
    assert_ok(verb_call(store, verb_issued, rows[2].rid, &e), &e);
    verb_end(TAKE(store));
    store = verb_store(dir);
    assert_ok(verb_call(store, verb_open, &seen, &e), &e);
    assert_int_equal(seen.n, 2);
    assert_int_equal(seen.sequences[0], 2);
    assert_int_equal(seen.sequences[1], 4);
    assert_ok(verb_call(store, verb_chain, NULL, &e), &e);
    assert_err(verb_call(store, verb_admit, &rows[0], &e), ERR_CONFLICT, &e);
}

struct waits {
    const uint8_t *rid;
    int64_t now;
    int64_t until;
    struct seen seen;
    struct requests_enrolment enrolment;
    bool found;
};

static int
verb_waiting(struct store_db *db, void *arg, struct err *e)
{
    static const struct requests_wait wait = {
        .check_after = 60, .phrase = "waiting for approval", .again_at = 1000, .until = 5000};
    CLEANUP(requests_asked_clear) struct requests_asked asked = {0};
    const struct waits *w = arg;

    return verb_asked(db, span_of(w->rid, REQUESTS_RID_SIZE), &asked, e) != 0
               ? -1
               : requests_waiting(db, &asked, &wait, e);
}

static int
verb_open_at(struct store_db *db, void *arg, struct err *e)
{
    struct waits *w = arg;

    w->seen.n = 0;
    return requests_open_each(db, 0, w->now, 8, see, &w->seen, e);
}

static int
verb_rest_until(struct store_db *db, void *arg, struct err *e)
{
    struct waits *w = arg;

    return requests_rest_until(db, w->now, &w->until, e);
}

static int
verb_of_rid(struct store_db *db, void *arg, struct err *e)
{
    CLEANUP(requests_asked_clear) struct requests_asked asked = {0};
    struct waits *w = arg;

    w->found = verb_asked(db, span_of(w->rid, REQUESTS_RID_SIZE), &asked, e) == 0;
    requests_enrolment_clear(&w->enrolment);
    w->enrolment = asked.enrolment;
    asked.enrolment = (struct requests_enrolment){0};
    return w->found || e->code == ERR_NOTFOUND ? 0 : -1;
}

static void
what_waits_for_people_rests_and_is_remembered(void **state)
{
    CLEANUP(tmpdir_cleanup) char *dir = tmpdir_new();
    CLEANUP(verb_end_cleanup) struct store *store = verb_store(dir);
    struct admitting in = verb_admitting("a", 1);
    struct admitting again = verb_admitting("a", 2);
    struct admitting last = verb_admitting("b", 3);
    struct waits w = {.rid = in.rid};
    struct err e;

    (void)state;
    verb_registration(store, ID, "ref", 9);
    assert_err(verb_call(store, verb_waiting, &w, &e), ERR_NOTFOUND, &e);
    assert_ok(verb_call(store, verb_admit, &in, &e), &e);
    assert_ok(verb_call(store, verb_open_at, &w, &e), &e);
    assert_int_equal(w.seen.n, 1);
    assert_ok(verb_call(store, verb_waiting, &w, &e), &e);
    verb_end(TAKE(store));
    store = verb_store(dir);
    w.now = 999;
    assert_ok(verb_call(store, verb_open_at, &w, &e), &e);
    assert_int_equal(w.seen.n, 0);
    assert_ok(verb_call(store, verb_rest_until, &w, &e), &e);
    assert_int_equal(w.until, 1000);
    w.now = 1000;
    assert_ok(verb_call(store, verb_open_at, &w, &e), &e);
    assert_int_equal(w.seen.n, 1);
    assert_ok(verb_call(store, verb_rest_until, &w, &e), &e);
    assert_int_equal(w.until, 0);
    assert_ok(verb_call(store, verb_of_rid, &w, &e), &e);
    assert_int_equal(w.enrolment.state, REQUESTS_QUEUED);
    assert_int_equal(w.enrolment.check_after, 60);
    assert_string_equal(w.enrolment.phrase, "waiting for approval");
    /* the answer comes after all, unasked, when the request's own time has passed (1000) */
    assert_ok(verb_call(store, verb_issued, in.rid, &e), &e);
    w.now = 999;
    assert_ok(verb_call(store, verb_rest_until, &w, &e), &e);
    assert_int_equal(w.until, 0);                           /* of what is answered nothing rests */
    assert_ok(verb_call(store, verb_admit, &last, &e), &e); /* the last entry always stays */
    assert_ok(verb_call(store, verb_expire, &(struct expiring){.now = 4999}, &e), &e);
    assert_ok(verb_call(store, verb_of_rid, &w, &e), &e);
    assert_int_equal(w.enrolment.state, REQUESTS_ANSWERED);
    assert_err(verb_call(store, verb_waiting, &w, &e), ERR_NOTFOUND, &e); /* too late */
    assert_err(verb_call(store, verb_admit, &again, &e), ERR_CONFLICT, &e);
    assert_ok(verb_call(store, verb_expire, &(struct expiring){.now = 5001}, &e), &e);
    assert_ok(verb_call(store, verb_of_rid, &w, &e), &e);
    assert_false(w.found);
    requests_enrolment_clear(&w.enrolment);
}

struct defers {
    const uint8_t *rid;
    bool untimely;
    bool taken;
    struct requests_entry open; /* the first entry that may be sent at `now` */
    int64_t now;
    const char *tid;
    struct requests_enrolment enrolment;
    bool found;
};

static int
verb_deferred(struct store_db *db, void *arg, struct err *e)
{
    const struct defers *d = arg;

    return requests_deferred(db, span_of(d->rid, REQUESTS_RID_SIZE), 1000, d->untimely, e);
}

/* The same message; what is said of it is something else. */
static int
verb_place(struct store_db *db, void *arg, struct err *e)
{
    struct defers *d = arg;
    CLEANUP(requests_head_clear) struct requests_head head = {0};
    CLEANUP(buf_free) struct buf entry = verb_entry(d->rid);

    entry.p[0] = 'a';
    return requests_take_place(db,
                               &(struct requests_item){.rid = span_of(d->rid, REQUESTS_RID_SIZE),
                                                       .message = buf_span(&d->open.message),
                                                       .entry = buf_span(&entry)},
                               &d->taken, e) != 0
               ? -1
               : requests_put_head(db, &verb_author, &head, e);
}

static void
keep_open(void *arg, const struct requests_entry *entry)
{
    struct defers *d = arg;
    struct err e;

    requests_entry_clear(&d->open);
    d->open = *entry;
    d->open.message = BUF_INIT(16);
    d->open.entry = BUF_INIT(64);
    assert_ok(buf_set(&d->open.message, buf_span(&entry->message), &e), &e);
    assert_ok(buf_set(&d->open.entry, buf_span(&entry->entry), &e), &e);
}

static int
verb_first_open(struct store_db *db, void *arg, struct err *e)
{
    struct defers *d = arg;

    requests_entry_clear(&d->open);
    return requests_open_each(db, 0, d->now, 1, keep_open, d, e);
}

static int
verb_unanswered(struct store_db *db, void *arg, struct err *e)
{
    struct defers *d = arg;
    const struct requests_admission a = {.identity = "mac:ref",
                                         .transaction_id = span_str(d->tid),
                                         .rid = span_of(d->rid, REQUESTS_RID_SIZE)};

    return requests_enrolment_unanswered(db, &a, span_of(NULL, 0), &d->enrolment, &d->found, e);
}

static int
verb_queued(struct store_db *db, void *arg, struct err *e)
{
    struct defers *d = arg;

    return requests_queued(db, d->enrolment.id, span_of(d->rid, REQUESTS_RID_SIZE), &d->found, e);
}

static int
verb_forget(struct store_db *db, void *arg, struct err *e)
{
    return requests_forget(db, "mac:ref", span_str(arg), e);
}

static void
what_is_deferred_rests_and_takes_another_place(void **state)
{
    CLEANUP(tmpdir_cleanup) char *dir = tmpdir_new();
    CLEANUP(verb_end_cleanup) struct store *store = verb_store(dir);
    struct admitting in = verb_admitting("a", 1);
    struct admitting next = verb_admitting("b", 2);
    struct defers d = {.rid = in.rid, .untimely = true, .now = 999};
    struct err e;

    (void)state;
    verb_registration(store, ID, "ref", 9);
    assert_ok(verb_call(store, verb_deferred, &d, &e), &e); /* no such entry */
    assert_ok(verb_call(store, verb_admit, &in, &e), &e);
    assert_ok(verb_call(store, verb_deferred, &d, &e), &e);
    assert_ok(verb_call(store, verb_first_open, &d, &e), &e);
    assert_int_equal(d.open.sequence, 0);
    d.now = 1000;
    assert_ok(verb_call(store, verb_first_open, &d, &e), &e);
    assert_true(d.open.untimely);
    assert_ok(verb_call(store, verb_place, &d, &e), &e);
    assert_true(d.taken);
    assert_ok(verb_call(store, verb_chain, NULL, &e), &e);
    assert_ok(verb_call(store, verb_first_open, &d, &e), &e);
    assert_int_equal(d.open.sequence, 2);
    assert_false(d.open.untimely);
    assert_true(span_equal(buf_span(&d.open.message), span_str(in.message)));
    assert_int_equal(d.open.entry.p[0], 'a');
    assert_ok(verb_call(store, verb_admit, &next, &e), &e);
    assert_int_equal(next.sequence, 3);
    assert_ok(verb_call(store, verb_chain, NULL, &e), &e);
    /* what was answered stays as it is */
    assert_ok(verb_call(store, verb_issued, in.rid, &e), &e);
    assert_ok(verb_call(store, verb_deferred, &d, &e), &e);
    assert_ok(verb_call(store, verb_place, &d, &e), &e);
    assert_false(d.taken);
    assert_ok(verb_call(store, verb_chain, NULL, &e), &e);
    requests_entry_clear(&d.open);
}

static void
the_same_octets_go_on_until_an_answer_has_left(void **state)
{
    CLEANUP(tmpdir_cleanup) char *dir = tmpdir_new();
    CLEANUP(verb_end_cleanup) struct store *store = verb_store(dir);
    struct admitting in = verb_admitting("a", 1);
    struct admitting other = verb_admitting("a", 2);
    struct defers d = {.rid = in.rid, .tid = "a"};
    struct err e;

    (void)state;
    verb_registration(store, ID, "ref", 9);
    assert_ok(verb_call(store, verb_unanswered, &d, &e), &e);
    assert_false(d.found);
    assert_ok(verb_call(store, verb_admit, &in, &e), &e);
    assert_ok(verb_call(store, verb_unanswered, &d, &e), &e);
    assert_true(d.found && d.enrolment.id == in.enrolment);
    d.found = false;
    assert_ok(verb_call(store, verb_queued, &d, &e), &e);
    assert_true(d.found);
    d.rid = other.rid; /* other octets in the same transaction */
    assert_ok(verb_call(store, verb_queued, &d, &e), &e);
    assert_false(d.found);
    assert_ok(verb_call(store, verb_unanswered, &d, &e), &e);
    assert_false(d.found);
    d.rid = in.rid;
    assert_ok(verb_call(store, verb_sent,
                        &(struct sending){.enrolment = in.enrolment, .nonce = "nonce-1"}, &e),
              &e);
    assert_ok(verb_call(store, verb_unanswered, &d, &e), &e);
    assert_false(d.found);
    requests_enrolment_clear(&d.enrolment);
}

static void
what_nobody_saw_an_answer_to_is_forgotten(void **state)
{
    CLEANUP(tmpdir_cleanup) char *dir = tmpdir_new();
    CLEANUP(verb_end_cleanup) struct store *store = verb_store(dir);
    struct admitting in = verb_admitting("a", 1);
    char tid[] = "a";
    struct err e;

    (void)state;
    verb_registration(store, ID, "ref", 9);
    assert_ok(verb_call(store, verb_forget, tid, &e), &e); /* there is none */
    assert_ok(verb_call(store, verb_remember, tid, &e), &e);
    assert_err(verb_call(store, verb_admit, &in, &e), ERR_CONFLICT, &e);
    assert_ok(verb_call(store, verb_forget, tid, &e), &e);
    assert_ok(verb_call(store, verb_admit, &in, &e), &e);
}

static void
what_is_overdue_becomes_unconfirmed_and_the_old_is_forgotten(void **state)
{
    CLEANUP(tmpdir_cleanup) char *dir = tmpdir_new();
    CLEANUP(verb_end_cleanup) struct store *store = verb_store(dir);
    struct admitting in = verb_admitting("tid", 1);
    struct admitting waits = verb_admitting("waits", 2);
    struct admitting last = verb_admitting("last", 3);
    struct admitting again = verb_admitting("tid", 4);
    struct sending s = {.nonce = "n"};
    struct expiring x = {.now = 100};
    struct state_query q = {.tid = "tid", .identity = "mac:ref"};
    struct err e;

    (void)state;
    verb_registration(store, ID, "ref", 9);
    assert_ok(verb_call(store, verb_admit, &in, &e), &e);
    assert_ok(verb_call(store, verb_admit, &waits, &e), &e);
    assert_ok(verb_call(store, verb_issued, in.rid, &e), &e);
    s.enrolment = in.enrolment;
    assert_ok(verb_call(store, verb_sent, &s, &e), &e);
    assert_ok(verb_call(store, verb_expire, &x, &e), &e);
    assert_int_equal(x.overdue, 0); /* confirm_by is 100: not yet over */
    x.now = 101;
    assert_ok(verb_call(store, verb_expire, &x, &e), &e);
    assert_int_equal(x.overdue, 1);
    verb_assert_state(store, "tid", REQUESTS_UNCONFIRMED);
    assert_err(verb_call(store, verb_admit, &again, &e), ERR_CONFLICT, &e);
    x.now = 1001;
    assert_ok(verb_call(store, verb_expire, &x, &e), &e);
    assert_ok(verb_call(store, verb_find, &q, &e), &e);
    assert_int_equal(q.owner, REQUESTS_NOBODY);
    verb_assert_state(store, "waits", REQUESTS_QUEUED); /* the CA still owes an answer */
    assert_ok(verb_call(store, verb_admit, &last, &e), &e);
    assert_ok(verb_call(store, verb_chain, NULL, &e), &e);
}

static void
what_ended_is_forgotten_behind_what_waits_and_the_chain_holds(void **state)
{
    CLEANUP(tmpdir_cleanup) char *dir = tmpdir_new();
    CLEANUP(verb_end_cleanup) struct store *store = verb_store(dir);
    struct admitting waits = verb_admitting("waits", 1);
    struct admitting ended = verb_admitting("ended", 2);
    struct admitting later = verb_admitting("later", 3);
    struct state_query q = {.tid = "ended", .identity = "mac:ref"};
    struct expiring x = {.now = 1001};
    struct err e;

    (void)state;
    verb_registration(store, ID, "ref", 9);
    assert_ok(verb_call(store, verb_admit, &waits, &e), &e);
    assert_ok(verb_call(store, verb_admit, &ended, &e), &e);
    assert_ok(verb_call(store, verb_admit, &later, &e), &e);
    assert_ok(verb_call(store, verb_refused, ended.rid, &e), &e);
    assert_ok(verb_call(store, verb_expire, &x, &e), &e);
    assert_ok(verb_call(store, verb_find, &q, &e), &e);
    assert_int_equal(q.owner, REQUESTS_NOBODY);
    assert_ok(verb_call(store, verb_chain, NULL, &e), &e);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_queue_survives_a_restart_in_order),
        cmocka_unit_test(what_waits_for_people_rests_and_is_remembered),
        cmocka_unit_test(what_is_deferred_rests_and_takes_another_place),
        cmocka_unit_test(the_same_octets_go_on_until_an_answer_has_left),
        cmocka_unit_test(what_nobody_saw_an_answer_to_is_forgotten),
        cmocka_unit_test(what_is_overdue_becomes_unconfirmed_and_the_old_is_forgotten),
        cmocka_unit_test(what_ended_is_forgotten_behind_what_waits_and_the_chain_holds),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
