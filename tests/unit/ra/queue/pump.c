/* SPDX-License-Identifier: Apache-2.0 */
/* The pump, with a link of its own. */
#include "ra/queue/pump.h"

#include <signal.h>
#include <string.h>

#include "ca/link/client.h"
#include "pkcs11/client/pool.h"
#include "ra/queue/queue.h"
#include "tests/support/kill.h"
#include "tests/unit/ra/queue/filling.h"
#include "tests/unit/ra/queue/telling.h"

enum { PAUSE_MS = 1000 - 20 /* the loop has a coarse clock */ };

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
    telling_ca.holds = true;
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
    running_sql(w, "DELETE FROM queue", STORE_NO_VALUES);
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

/* running_settle() does not know it. */
static bool
own_rests(struct running *w)
{
    return !pump_is_running(own.pump) && w->ra.heads_asked == 0;
}

static void
own_end(struct running *w)
{
    const struct queue_options options = {.ra = &w->ra, .up = on_up_again};
    struct err e = {0};

    running_until(w, own_rests);
    link_client_free(own.link);
    pump_free(own.pump);
    flights_clear(&own.flights);
    head_release(w->ra.heads, own.head);
    buf_free(&own.entry);
    running_sql(w, "DELETE FROM queue", STORE_NO_VALUES);
    w->ra.queue = queue_new(&options, &e);
    assert_non_null(w->ra.queue);
    running_until(w, queue_is_back);
}

static bool
two_are_held(struct running *w)
{
    (void)w;
    return telling_ca.held >= 2;
}

static bool
three_are_held(struct running *w)
{
    (void)w;
    return telling_ca.held == 3;
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
    running_until(w, own_rests);
    running_for(w, 10);
    assert_int_equal(telling_ca.held, 2);
    assert_true(telling_ca.in_order);
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
    running_until(w, own_rests);
    running_for(w, 10);
    assert_int_equal(telling_ca.held, 2); /* it is not in the queue */
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
    running_until(w, own_rests);
    running_for(w, 20);
    assert_int_equal(telling_ca.held, 0);
    flights_find(&own.flights, f.rid)->withdrawn = false;
    /* its row goes while its head is signed */
    assert_int_equal(test_kill(signer_pid(signer_pool_first(w->ra.signers)), SIGSTOP), 0);
    pump_start(own.pump, false);
    running_until(w, one_is_asked_for);
    running_sql(w, "DELETE FROM queue WHERE rid = ?",
                STORE_VALUES(store_blob(span_of(f.rid, sizeof(f.rid)))));
    assert_int_equal(test_kill(signer_pid(signer_pool_first(w->ra.signers)), SIGCONT), 0);
    running_until(w, own_rests);
    running_for(w, 20);
    assert_int_equal(telling_ca.held, 0);
    filling_clear(&f);
    own_end(w);
}

/* The time to look again came while it ran: that is a pause after its end. */
static void
a_run_that_takes_long_is_not_followed_at_once(void **state)
{
    struct running *w = *state;
    CLEANUP(member_free) struct member m = running_member(w);
    int64_t began;
    uint64_t ops;

    own_begin(w);
    fill(w, &m, 1, 1);
    assert_int_equal(test_kill(signer_pid(signer_pool_first(w->ra.signers)), SIGSTOP), 0);
    pump_start(own.pump, false);
    running_until(w, one_is_asked_for);
    began = clock_monotonic_ms();
    pump_ask_later(own.pump, 0);
    running_for(w, 50);
    ops = store_stats_get(w->ra.store).ops;
    assert_int_equal(test_kill(signer_pid(signer_pool_first(w->ra.signers)), SIGCONT), 0);
    running_until(w, telling_is_held); /* it read again, and sent */
    while (store_stats_get(w->ra.store).ops < ops + 2) {
        running_for(w, 1);
    }
    assert_true(clock_monotonic_ms() - began >= PAUSE_MS);
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
    assert_int_equal(test_kill(signer_pid(signer_pool_first(w->ra.signers)), SIGSTOP), 0);
    pump_start(own.pump, false);
    running_until(w, one_is_asked_for);
    pump_hold(own.pump, true);
    assert_true(pump_is_held(own.pump));
    assert_false(pump_is_usable(own.pump));
    assert_int_equal(test_kill(signer_pid(signer_pool_first(w->ra.signers)), SIGCONT), 0);
    running_until(w, own_rests);
    running_for(w, 10);
    assert_int_equal(telling_ca.held, 0);
    pump_admitted(own.pump, &item);
    pump_start(own.pump, false);
    running_until(w, own_rests);
    running_for(w, 10);
    assert_int_equal(telling_ca.held, 0);
    pump_hold(own.pump, false);
    pump_start(own.pump, false); /* and then held before it has read */
    pump_hold(own.pump, true);
    running_until(w, own_rests);
    running_for(w, 10);
    assert_int_equal(telling_ca.held, 0);
    pump_hold(own.pump, false);
    pump_start(own.pump, false);
    running_until(w, telling_is_held);
    assert_int_equal(telling_ca.held, 1);
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

#define TEST(name) cmocka_unit_test_setup(name, telling_reset)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(runs_of_the_pump_come_one_after_the_other),
        TEST(what_comes_while_the_pump_runs_is_left_to_it),
        TEST(what_is_withdrawn_is_not_sent),
        TEST(a_run_that_takes_long_is_not_followed_at_once),
        TEST(a_ca_that_is_not_ours_gets_nothing),
        TEST(a_ca_whose_key_is_in_a_token_is_fine),
    };

    return cmocka_run_group_tests(tests, running_setup, running_teardown);
}
