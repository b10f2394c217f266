/* SPDX-License-Identifier: Apache-2.0 */
/* The RA's signature on the heads of its queue: which are signed, how often, and who hears of it.
 */
#include "ra/queue/heads.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/ossl.h"
#include "ca/cmp/queue.h"
#include "pkcs11/client/pool.h"
#include "tests/support/kill.h"
#include "tests/unit/ra/queue/filling.h"

static size_t told;
static size_t refused;

struct waiting {
    struct head_waiter waiter;
    struct heads *heads;
    struct head *again; /* asked for once more */
};

static void
on_done(struct head_waiter *waiter, const struct err *why)
{
    struct waiting *it = CONTAINER_OF(waiter, struct waiting, waiter);
    struct head *again = it->again;
    struct err e;

    told++;
    refused += why != NULL;
    it->again = NULL;
    if (again != NULL) {
        assert_ok(heads_ask(it->heads, again, waiter, &e), &e);
    }
}

static int
reset(void **state)
{
    (void)running_reset(state);
    told = 0;
    refused = 0;
    return 0;
}

static bool
all_are_told(struct running *w)
{
    return w->ra.heads_asked == 0;
}

/* One that is in ra.db, as it comes out of it. */
static struct head *
head_of(struct running *w, struct filling *f)
{
    struct err e = {0};
    struct head *head;

    filling_run(w, f);
    head = head_new(&f->head, &e);
    assert_non_null(head);
    filling_clear(f);
    return heads_know(w->ra.heads, head);
}

static struct head *
head_from(struct running *w, const struct member *m)
{
    struct filling f = filling_of(w, m, 1, 1);

    return head_of(w, &f);
}

/* ---- the signature ---- */

static void
a_head_is_signed_once_for_all_who_wait(void **state)
{
    struct running *w = *state;
    CLEANUP(member_free) struct member m = running_member(w);
    struct head *head = head_from(w, &m);
    struct waiting all[5];
    const uint64_t before = signer_attempts(signer_pool_first(w->ra.signers));
    struct err e = {0};

    assert_false(head_is_signed(head));
    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        all[i] = (struct waiting){.waiter.done = on_done};
        assert_ok(heads_ask(w->ra.heads, head, &all[i].waiter, &e), &e);
    }
    heads_forget(head, &all[1].waiter);
    heads_forget(head, &all[4].waiter);
    heads_forget(head, &all[4].waiter); /* not there is fine */
    assert_int_equal(told, 0);
    running_until(w, all_are_told);
    assert_int_equal(told, 3);
    assert_int_equal(refused, 0);
    assert_true(head_is_signed(head));
    assert_int_equal(signer_attempts(signer_pool_first(w->ra.signers)), before + 1);
    head_release(w->ra.heads, head);
}

/* What goes over the link has the signature, and the way there. */
static void
what_is_submitted_is_under_what_is_signed(void **state)
{
    struct running *w = *state;
    CLEANUP(member_free) struct member m = running_member(w);
    CLEANUP(buf_free) struct buf out = {0};
    struct filling f = filling_of(w, &m, 3, 1);
    struct waiting wait = {.waiter.done = on_done};
    struct queue_item item = {.message = SPAN_LITERAL("x")};
    CLEANUP(buf_free) struct buf entry = {0};
    struct head *head;
    struct err e = {0};

    filling_run(w, &f);
    buf_move(&entry, &f.entry);
    head = head_new(&f.head, &e);
    assert_non_null(head);
    filling_clear(&f);
    assert_ok(heads_ask(w->ra.heads, heads_know(w->ra.heads, head), &wait.waiter, &e), &e);
    running_until(w, all_are_told);
    item.head = head;
    item.entry = buf_span(&entry);
    item.sequence = head_first(head) + 2; /* the last one */
    assert_ok(head_covers(head, item.sequence, item.entry, &e), &e);
    assert_err(head_covers(head, item.sequence - 1, item.entry, &e), ERR_CRYPTO, &e);
    assert_int_equal(head_covers(head, item.sequence + 1, item.entry, &e), -1);
    assert_int_equal(head_covers(head, head_first(head) - 1, item.entry, &e), -1);
    assert_ok(head_submission(&w->ra, &item, &out, &e), &e);
    item.sequence++;
    assert_int_equal(head_submission(&w->ra, &item, &out, &e), -1);
    head_release(w->ra.heads, head);
}

/* It is asked for again, and everybody hears of both. */
static void
a_signer_that_fails_is_told_of(void **state)
{
    struct running *w = *state;
    CLEANUP(member_free) struct member m = running_member(w);
    CLEANUP(mem_cleanup) char *elsewhere = mem_printf("%s.gone", w->settings->signers[0]);
    struct head *head = head_from(w, &m);
    struct waiting one = {.waiter.done = on_done, .heads = w->ra.heads, .again = head};
    struct waiting two = {.waiter.done = on_done};
    struct err e = {0};

    assert_int_equal(rename(w->settings->signers[0], elsewhere), 0);
    assert_int_equal(test_kill(signer_pid(signer_pool_first(w->ra.signers)), SIGKILL), 0);
    assert_ok(heads_ask(w->ra.heads, head, &one.waiter, &e), &e);
    assert_ok(heads_ask(w->ra.heads, head, &two.waiter, &e), &e);
    running_until(w, all_are_told);
    assert_int_equal(told, 3);
    assert_int_equal(refused, 3);
    assert_false(head_is_signed(head));
    assert_true(w->ra.unsigned_said);
    assert_int_equal(tap_count("\"not-wrapped\""), 1); /* said once */
    assert_int_equal(rename(elsewhere, w->settings->signers[0]), 0);
    for (int i = 0; i < 100 && !head_is_signed(head); i++) { /* it is started again after a pause */
        assert_ok(heads_ask(w->ra.heads, head, &two.waiter, &e), &e);
        running_until(w, all_are_told);
        running_for(w, 100);
    }
    assert_true(head_is_signed(head));
    assert_false(w->ra.unsigned_said);
    head_release(w->ra.heads, head);
}

/* Whoever can write ra.db must not make the RA say it. */
static void
what_is_not_made_by_this_ra_is_not_signed(void **state)
{
    struct running *w = *state;
    CLEANUP(member_free) struct member m = running_member(w);
    enum { STAMP, RA, CA, TEXT };
    static const struct {
        int what;
        const char *why;
    } rows[] = {{STAMP, "is not sealed by this RA"},
                {RA, "is another RA's, or for another CA"},
                {CA, "is another RA's, or for another CA"},
                {TEXT, "is not sealed by this RA"}};

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct filling f = filling_of(w, &m, 1, 1);
        struct waiting wait = {.waiter.done = on_done};
        const uint64_t before = signer_attempts(signer_pool_first(w->ra.signers));
        struct head *head;
        struct err e = {0};

        f.author.ra[0] ^= rows[i].what == RA;
        f.author.ca[31] ^= rows[i].what == CA;
        filling_run(w, &f);
        f.head.stamp[31] ^= rows[i].what == STAMP;
        if (rows[i].what == TEXT) { /* its time */
            f.head.text.p[f.head.text.n - 3] ^= 1;
        }
        head = head_new(&f.head, &e);
        assert_non_null(head);
        filling_clear(&f);
        head = heads_know(w->ra.heads, head);
        assert_err(heads_ask(w->ra.heads, head, &wait.waiter, &e), ERR_DENIED, &e);
        if (strstr(e.text, rows[i].why) == NULL) {
            fail_msg("row %zu: %s", i, e.text);
        }
        running_for(w, 20);
        assert_int_equal(told, 0);
        assert_false(head_is_signed(head));
        assert_int_equal(signer_attempts(signer_pool_first(w->ra.signers)), before);
        assert_int_equal(head_is_current(&w->ra, head),
                         rows[i].what == STAMP || rows[i].what == TEXT);
        head_release(w->ra.heads, head);
    }
}

static void
what_is_no_head_is_none(void **state)
{
    struct running *w = *state;
    CLEANUP(member_free) struct member m = running_member(w);
    struct filling f = filling_of(w, &m, 1, 1);
    struct err e = {0};

    filling_run(w, &f);
    f.head.text.p[0] ^= 1;
    assert_null(head_new(&f.head, &e));
    assert_int_equal(e.code, ERR_INPUT);
    filling_clear(&f);
}

/* ---- what is kept ---- */

/* The same text is the same head; and of those that nobody uses the oldest go first. */
static void
signed_heads_are_kept_as_many_as_there_is_room_for(void **state)
{
    struct running *w = *state;
    CLEANUP(member_free) struct member m = running_member(w);
    CLEANUP(heads_cleanup) struct heads *heads = heads_new(&w->ra);
    struct requests_head rows[HEADS_KEPT + 2] = {{0}};
    struct err e = {0};

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct filling f = filling_of(w, &m, 1, 1);

        filling_run(w, &f);
        rows[i] = f.head;
        memset(&f.head, 0, sizeof(f.head));
        filling_clear(&f);
    }
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct requests_head row = requests_copy(&rows[i]);
        struct waiting wait = {.waiter.done = on_done};
        struct head *head = heads_know(heads, head_new(&row, &e));

        if (i < 2 || i == ARRAY_LEN(rows) - 1) {
            assert_ok(heads_ask(heads, head, &wait.waiter, &e), &e);
            running_until(w, all_are_told);
        }
        head_release(heads, head);
        if (i == HEADS_KEPT - 1) { /* the first one is used once more */
            row = requests_copy(&rows[0]);
            head = heads_know(heads, head_new(&row, &e));
            assert_true(head_is_signed(head));
            head_release(heads, head);
        }
    }
    for (size_t i = 0; i < 3; i++) {
        const size_t n = i < 2 ? i : ARRAY_LEN(rows) - 1;
        struct requests_head row = requests_copy(&rows[n]);
        struct head *head = heads_know(heads, head_new(&row, &e));

        if (head_is_signed(head) != (n != 1)) {
            fail_msg("head %zu", n);
        }
        head_release(heads, head);
    }
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        requests_head_clear(&rows[i]);
    }
}

#define TEST(name) cmocka_unit_test_setup(name, reset)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_head_is_signed_once_for_all_who_wait),
        TEST(what_is_submitted_is_under_what_is_signed),
        TEST(a_signer_that_fails_is_told_of),
        TEST(what_is_not_made_by_this_ra_is_not_signed),
        TEST(what_is_no_head_is_none),
        TEST(signed_heads_are_kept_as_many_as_there_is_room_for),
    };

    return cmocka_run_group_tests(tests, running_setup, running_teardown);
}
