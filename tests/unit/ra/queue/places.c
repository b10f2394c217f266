/* SPDX-License-Identifier: Apache-2.0 */
/* What is under a head of no use takes another place, when it was this RA that put it there. */
#include "ra/queue/places.h"

#include <stdio.h>
#include <string.h>

#include "base/ossl.h"
#include "ca/cmp/queue.h"
#include "pkcs11/client/client.h"
#include "ra/secret/seal.h"
#include "tests/unit/ra/queue/filling.h"

enum { LONG_AGO = 1000 };

/* An entry as the pump reads it. */
struct scene {
    struct member member;
    struct filling filling;
    struct requests_entry entry;
    struct head *head;
    struct cmp_queue_entry says;
};

static struct {
    size_t done;
    size_t taken;
} it;

static void
on_done(void *arg, size_t n)
{
    (void)arg;
    it.done++;
    it.taken = n;
}

static bool
is_done(struct running *w)
{
    (void)w;
    return it.done > 0;
}

static void
take(struct running *w, struct scene *s)
{
    struct places *places = places_new(&w->ra);

    it.done = 0;
    it.taken = 99;
    tap_mark();
    w->ra.not_ours = (struct err){0};
    w->ra.not_ours_told = false;
    places_add(places, &s->entry, s->head);
    assert_int_equal(places_count(places), 1);
    places_begin(places, on_done, NULL);
    running_until(w, is_done);
}

static void
copy_entry(struct scene *s, struct span message, struct span entry)
{
    struct err e = {0};

    s->entry.message = BUF_INIT(CMP_NESTED_MAX);
    s->entry.entry = BUF_INIT(CMP_QUEUE_ENTRY_MAX);
    assert_ok(buf_set(&s->entry.message, message, &e), &e);
    assert_ok(buf_set(&s->entry.entry, entry, &e), &e);
}

/* By an RA with another key. */
static void
make(struct running *w, struct scene *s, time_t received_at)
{
    struct requests_head row;
    struct err e = {0};

    memset(s, 0, sizeof(*s));
    s->member = running_member(w);
    member_requests(&s->member, CMP_IR);
    s->filling = filling_of(w, &s->member, 1, 1);
    s->filling.whole = buf_span(&s->member.message);
    s->filling.received_at = received_at;
    s->filling.author.ra[0] ^= 1;
    filling_run(w, &s->filling);
    row = requests_copy(&s->filling.head);
    s->head = head_new(&row, &e);
    assert_non_null(s->head);
    s->head = heads_know(w->ra.heads, s->head);
    s->entry.sequence = head_first(s->head);
    memcpy(s->entry.rid, s->filling.rid, sizeof(s->entry.rid));
    copy_entry(s, buf_span(&s->filling.message), buf_span(&s->filling.entry));
    assert_ok(cmp_queue_entry_decode(buf_span(&s->filling.entry), &s->says, &e), &e);
}

static void
clear(struct running *w, struct scene *s)
{
    running_sql(w, "DELETE FROM queue", STORE_NO_VALUES);
    requests_entry_clear(&s->entry);
    head_release(w->ra.heads, s->head);
    filling_clear(&s->filling);
    member_free(&s->member);
}

/* ---- entries of before: each was wrapped by itself ---- */

/* Sealed, as it was while the signer was away. */
static struct buf
sealed(struct running *w, const struct scene *s, struct span seal_key)
{
    const struct span none = SPAN_LITERAL("\x30\x00");
    CLEANUP(buf_free)
    struct buf part = filling_part(w, &s->filling, w->ra.credentials.certificate);
    struct buf out = BUF_INIT(CMP_NESTED_MAX);
    uint8_t stamp[SEAL_STAMP_SIZE];
    struct err e = {0};

    assert_ok(seal_stamp(seal_key, buf_span(&part), stamp, &e), &e);
    assert_ok(cmp_build_finish(buf_span(&part), span_of(stamp, sizeof(stamp)), &none, 1, &out, &e),
              &e);
    return out;
}

static void
wrap(struct running *w, struct scene *s, struct buf wrapped)
{
    buf_free(&s->entry.entry);
    buf_free(&s->entry.message);
    s->entry.message = wrapped;
    head_release(w->ra.heads, s->head);
    s->head = NULL;
}

static void
spoil_message(struct running *w, struct scene *s)
{
    (void)w;
    s->entry.message.p[s->entry.message.n - 1] ^= 1;
}

static void
spoil_entry(struct running *w, struct scene *s)
{
    (void)w;
    s->entry.entry.p[s->entry.entry.n - 1] ^= 1;
}

static void
spoil_rid(struct running *w, struct scene *s)
{
    (void)w;
    s->entry.rid[0] ^= 1;
}

/* Its head says what it says, but nobody has sealed it. */
static void
spoil_stamp(struct running *w, struct scene *s)
{
    struct requests_head row = requests_copy(&s->filling.head);
    struct err e = {0};

    row.stamp[0] ^= 1;
    row.text.p[row.text.n - 3] ^= 1; /* its time: another head */
    head_release(w->ra.heads, s->head);
    s->head = head_new(&row, &e);
    assert_non_null(s->head);
}

static void
be_signed_alone(struct running *w, struct scene *s)
{
    wrap(w, s, filling_signed(w, &s->filling));
}

static void
be_sealed_alone(struct running *w, struct scene *s)
{
    wrap(w, s, sealed(w, s, buf_span(&w->ra.seal_key)));
}

static void
be_sealed_by_another(struct running *w, struct scene *s)
{
    static const uint8_t other[SEAL_KEY_SIZE] = {1};

    wrap(w, s, sealed(w, s, span_of(other, sizeof(other))));
}

static void
be_alone_and_something_else(struct running *w, struct scene *s)
{
    be_signed_alone(w, s);
    spoil_rid(w, s);
}

static void
be_no_wrapper(struct running *w, struct scene *s)
{
    be_signed_alone(w, s);
    buf_truncate(&s->entry.message, 7);
}

static void
be_answered(struct running *w, struct scene *s)
{
    (void)s;
    running_sql(w, "DELETE FROM queue", STORE_NO_VALUES);
}

static void
be_as_it_is(struct running *w, struct scene *s)
{
    (void)w;
    (void)s;
}

/* ---- what becomes of it ---- */

static int64_t
last_head(struct running *w)
{
    return running_number(w, "SELECT max(first) FROM head", STORE_NO_VALUES);
}

static void
what_is_not_ours_stays_where_it_is(void **state)
{
    struct running *w = *state;
    static const struct {
        const char *name;
        void (*spoil)(struct running *, struct scene *);
        const char *why;
    } rows[] = {
        {"another message", spoil_message, "queue entry: about another message"},
        {"no leaf of its head", spoil_entry, "queue entry"},
        {"of another rid", spoil_rid, "queue entry: about another message"},
        {"not sealed", spoil_stamp, "is not sealed by this RA"},
        {"alone, sealed by another", be_sealed_by_another, "not sealed by this RA"},
        {"alone, of another rid", be_alone_and_something_else,
         "queue entry: about another message"},
        {"alone, no wrapper", be_no_wrapper, "queue entry"},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct scene s;

        make(w, &s, clock_now());
        rows[i].spoil(w, &s);
        take(w, &s);
        if (it.taken != 0 || !tap_has("\"not-wrapped\"") || !tap_has(rows[i].why) ||
            last_head(w) != (int64_t)s.filling.head.first) {
            fail_msg("%s: %zu", rows[i].name, it.taken);
        }
        clear(w, &s);
    }
}

#define ROW(column) "SELECT " column " FROM queue WHERE rid = ?"

static void
what_is_ours_says_the_same_in_another_place(void **state)
{
    struct running *w = *state;
    const struct {
        const char *name;
        void (*way)(struct running *, struct scene *);
        time_t received_at; /* from now */
    } rows[] = {
        {"of another key", be_as_it_is, -LONG_AGO},
        {"of another key, in the future", be_as_it_is, LONG_AGO},
        {"signed alone", be_signed_alone, -LONG_AGO},
        {"signed alone, in the future", be_signed_alone, LONG_AGO},
        {"sealed alone", be_sealed_alone, -LONG_AGO},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const time_t now = clock_now();
        CLEANUP(buf_free) struct buf entry = BUF_INIT(CMP_QUEUE_ENTRY_MAX);
        struct cmp_queue_entry says;
        struct scene s;
        struct span rid;
        struct err e = {0};

        make(w, &s, now + rows[i].received_at);
        rid = span_of(s.filling.rid, sizeof(s.filling.rid));
        rows[i].way(w, &s);
        take(w, &s);
        if (it.taken != 1 || tap_has("\"not-wrapped\"")) {
            fail_msg("%s: %zu", rows[i].name, it.taken);
        }
        running_blob(w, ROW("entry"), STORE_VALUES(store_blob(rid)), &entry);
        assert_ok(cmp_queue_entry_decode(buf_span(&entry), &says, &e), &e);
        assert_string_equal(says.registration_id, s.says.registration_id);
        assert_string_equal(says.profile, s.says.profile);
        assert_int_equal(says.assurance, s.says.assurance);
        assert_memory_equal(says.rid, rid.p, rid.n);
        assert_true(rows[i].received_at < 0
                        ? says.received_at == s.says.received_at
                        : says.received_at >= now && says.received_at <= clock_now());
        assert_int_equal(
            running_number(w,
                           "SELECT count(*) FROM queue WHERE rid = ? AND message = "
                           "? AND sequence > ?",
                           STORE_VALUES(store_blob(rid), store_blob(buf_span(&s.filling.message)),
                                        store_int((int64_t)s.filling.head.first))),
            1);
        assert_ok(running_chain(w, &e), &e);
        clear(w, &s);
    }
}

static void
what_is_answered_meanwhile_takes_none(void **state)
{
    struct running *w = *state;
    struct scene s;

    make(w, &s, clock_now());
    be_answered(w, &s);
    take(w, &s);
    assert_int_equal(it.taken, 0);
    assert_false(tap_has("\"not-wrapped\""));
    assert_int_equal(last_head(w), s.filling.head.first);
    clear(w, &s);
}

static void
a_queue_that_cannot_be_written_ends_the_ra(void **state)
{
    struct running *w = *state;
    struct scene s;

    make(w, &s, clock_now());
    running_sql(w, "ALTER TABLE queue RENAME COLUMN untimely TO gone", STORE_NO_VALUES);
    take(w, &s);
    running_sql(w, "ALTER TABLE queue RENAME COLUMN gone TO untimely", STORE_NO_VALUES);
    assert_int_equal(it.taken, 0);
    assert_true(w->ra.failed);
    w->ra.failed = false;
    clear(w, &s);
}

static void
another_place_is_needed_for_a_reason(void **state)
{
    struct running *w = *state;
    struct filling f;
    struct head *head;
    struct scene s;
    struct err e = {0};

    make(w, &s, clock_now());
    assert_true(places_are_needed(&w->ra, &s.entry, s.head)); /* another key */
    assert_true(places_are_needed(&w->ra, &s.entry, NULL));
    f = filling_of(w, &s.member, 1, 1);
    filling_run(w, &f);
    head = head_new(&f.head, &e);
    assert_non_null(head);
    assert_false(places_are_needed(&w->ra, &s.entry, head));
    s.entry.untimely = true;
    assert_true(places_are_needed(&w->ra, &s.entry, head));
    head_release(w->ra.heads, head);
    filling_clear(&f);
    clear(w, &s);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(what_is_not_ours_stays_where_it_is, running_reset),
        cmocka_unit_test_setup(what_is_ours_says_the_same_in_another_place, running_reset),
        cmocka_unit_test_setup(what_is_answered_meanwhile_takes_none, running_reset),
        cmocka_unit_test_setup(a_queue_that_cannot_be_written_ends_the_ra, running_reset),
        cmocka_unit_test_setup(another_place_is_needed_for_a_reason, running_reset),
    };

    return cmocka_run_group_tests(tests, running_setup, running_teardown);
}
