/* SPDX-License-Identifier: Apache-2.0 */
#include "ra/secret/lane.h"

#include <event2/event.h>
#include <string.h>
#include <time.h>

#include "base/ossl.h"
#include "ra/secret/lane_pace.h"
#include "tests/support/test.h"

enum { TURNS_MAX = 128, KIND = 7, NS_IN_MS = 1000000 };

/* The least that belongs into the lane: some ms. */
static const struct cmp_mac_work small = {.kind = KIND, .steps = LANE_STEPS_MIN};

struct asker {
    struct lane_turn turn;
    char name;
    bool dead;
    bool derived;
    bool over;
    int64_t burn_ns; /* what deriving takes */
};

static struct fixture {
    struct event_base *base;
    struct event *event;
    struct tasks *tasks;
    struct lane *lane;
    struct asker askers[TURNS_MAX];
    size_t n;
    size_t over;
    int64_t burn_ns;           /* of who enters next */
    char order[TURNS_MAX + 1]; /* of those who had their turn */
} f;

static void
on_tasks(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    tasks_finish(arg);
}

static int64_t
cpu_ns(void)
{
    struct timespec t;

    assert_int_equal(clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t), 0);
    return (int64_t)t.tv_sec * 1000 * NS_IN_MS + t.tv_nsec;
}

static struct asker *
asker_of(struct lane_turn *turn)
{
    return CONTAINER_OF(turn, struct asker, turn);
}

static void
derive(struct lane_turn *turn)
{
    int64_t end = cpu_ns() + asker_of(turn)->burn_ns;

    asker_of(turn)->derived = true;
    while (cpu_ns() < end) {
        /* as long as a derivation */
    }
}

static bool
gone(struct lane_turn *turn)
{
    return asker_of(turn)->dead;
}

static void
done(struct lane_turn *turn)
{
    struct asker *a = asker_of(turn);

    assert_false(a->over);
    a->over = true;
    if (turn->retry_after == 0) {
        f.order[strlen(f.order)] = a->name;
    } else {
        assert_true(turn->retry_after > 0 && turn->retry_after <= LANE_WAIT_MS / 1000);
    }
    if (++f.over == f.n) {
        (void)event_base_loopbreak(f.base);
    }
}

static void
begin(int64_t wait_ms)
{
    struct err e = {0};

    f = (struct fixture){.base = event_base_new(), .tasks = tasks_new(&e)};
    assert_non_null(f.base);
    f.event = event_new(f.base, tasks_fd(f.tasks), EV_READ | EV_PERSIST, on_tasks, f.tasks);
    assert_int_equal(event_add(f.event, NULL), 0);
    f.lane = lane_new(f.base, f.tasks, wait_ms, &e);
    if (f.lane == NULL) {
        fail_msg("%s", e.text);
    }
}

static void
end(void)
{
    lane_free(f.lane);
    event_free(f.event);
    event_base_free(f.base);
    tasks_free(f.tasks);
}

/* `address` is one peer, "reference" what it says; NULL: its own. NULL: there is no place. */
static struct asker *
enter_with(char address, const char *reference, const struct cmp_mac_work *work, bool nobody)
{
    static char own[TURNS_MAX][8];
    struct asker *a = &f.askers[f.n];
    int wait;

    assert_true(f.n < TURNS_MAX);
    (void)snprintf(own[f.n], sizeof(own[0]), "%zu", f.n);
    *a = (struct asker){
        .name = address,
        .turn = {.work = *work,
                 .address = {.family = 4, .octets = {(uint8_t)address}},
                 .reference = reference == NULL ? own[f.n] : reference,
                 .nobody = nobody,
                 .derive = derive,
                 .gone = gone,
                 .done = done},
        .burn_ns = f.burn_ns, /* set before the turn begins, which may be at once */
    };
    wait = lane_enter(f.lane, &a->turn);
    if (wait > 0) {
        assert_true(wait <= LANE_WAIT_MS / 1000);
        return NULL;
    }
    f.n++;
    return a;
}

static struct asker *
enter(char address)
{
    return enter_with(address, NULL, &small, false);
}

/* Until everybody has heard of it. */
static void
run(void)
{
    if (f.over < f.n) {
        (void)event_base_dispatch(f.base);
    }
    assert_int_equal(f.over, f.n);
    assert_int_equal(lane_waiting(f.lane), 0);
}

static size_t
had_turns(char address)
{
    size_t n = 0;

    for (const char *p = f.order; *p != '\0'; p++) {
        n += *p == address;
    }
    return n;
}

static void
addresses_come_in_turn(void **state)
{
    (void)state;
    begin(0);
    for (const char *p = "aaabbc"; *p != '\0'; p++) {
        assert_non_null(enter(*p));
    }
    run();
    assert_string_equal(f.order, "abcaba");
    end();
}

/* A dear one is paid for by its own address. */
static void
what_counts_is_the_cost(void **state)
{
    const struct cmp_mac_work dear = {.kind = KIND, .steps = (uint64_t)7 * LANE_STEPS_MIN / 2};

    (void)state;
    begin(0);
    assert_non_null(enter_with('a', NULL, &dear, false));
    assert_non_null(enter('a'));
    for (int i = 0; i < 5; i++) {
        assert_non_null(enter('b'));
    }
    run();
    assert_string_equal(f.order, "abbbbab");
    end();
}

static void
places_are_bounded_by_address_and_reference(void **state)
{
    const struct asker *other;

    (void)state;
    begin(0);
    assert_non_null(enter('x')); /* has its turn; the others wait */
    for (size_t i = 0; i < LANE_ADDRESS_MAX; i++) {
        assert_non_null(enter('a'));
    }
    assert_null(enter('a'));
    for (size_t i = 0; i < LANE_REFERENCE_MAX; i++) {
        assert_non_null(enter_with('b', "one", &small, i % 2 == 0));
    }
    assert_null(enter_with('b', "one", &small, false));
    assert_null(enter_with('b', "one", &small, true));
    other = enter_with('b', "other", &small, false);
    assert_non_null(other);
    assert_int_equal(lane_waiting(f.lane), LANE_ADDRESS_MAX + LANE_REFERENCE_MAX + 1);
    /* whoever has fewer of its places gets one, and one of the others loses its own */
    assert_non_null(enter_with('c', "one", &small, false));
    assert_int_equal(f.over, 1);
    assert_false(other->over);
    assert_int_equal(lane_waiting(f.lane), LANE_ADDRESS_MAX + LANE_REFERENCE_MAX + 1);
    for (size_t i = 1; i < LANE_REFERENCE_MAX / 2; i++) { /* until both have the same */
        assert_non_null(enter_with('c', "one", &small, false));
    }
    assert_null(enter_with('c', "one", &small, false));
    lane_stop(f.lane);
    run();
    end();
}

static void
a_full_lane_is_shared_by_addresses(void **state)
{
    size_t n = 0;

    (void)state;
    begin(0);
    assert_non_null(enter('x'));
    for (size_t i = 0; i < LANE_WAITING_MAX; i++) {
        assert_non_null(enter((char)('a' + i % 4)));
    }
    assert_int_equal(lane_waiting(f.lane), LANE_WAITING_MAX);
    while (enter('e') != NULL) {
        n++;
        assert_int_equal(lane_waiting(f.lane), LANE_WAITING_MAX);
        assert_true(f.askers[LANE_WAITING_MAX].over); /* the youngest was the first to go */
    }
    assert_int_equal(n, LANE_WAITING_MAX / 5);
    assert_int_equal(f.over, n); /* as many were turned away */
    assert_null(enter('a'));     /* and do not come back */
    lane_stop(f.lane);
    run();
    assert_string_equal(f.order, "x");
    end();
}

/* A slow machine makes it less, never more. */
static void
all_together_take_a_quarter_of_a_core(void **state)
{
    int64_t burnt = 0;
    int64_t began;

    (void)state;
    begin(0);
    began = clock_monotonic_ms();
    for (int i = 0; i < 6; i++) {
        f.burn_ns = (i + 1) * 3 * NS_IN_MS;
        assert_non_null(enter((char)('a' + i % 3)));
        burnt += f.burn_ns;
    }
    run();
    assert_int_equal(strlen(f.order), 6);
    assert_true(clock_monotonic_ms() - began + 1 >= LANE_SHARE * burnt / NS_IN_MS);
    end();
}

static void
nobody_takes_as_long_and_computes_nothing(void **state)
{
    struct asker *a;
    int64_t began;

    (void)state;
    begin(0);
    began = clock_monotonic_ms();
    a = enter_with('a', "nobody", &small, true);
    assert_non_null(a);
    run();
    assert_false(a->derived);
    assert_int_equal(a->turn.retry_after, 0);
    assert_true(clock_monotonic_ms() - began >= lane_turn_ms(f.lane, &small));
    end();
}

/* What a slow processor does to one, it does to all: nobody's turn is no shorter. */
static void
what_takes_longer_lengthens_all_turns_of_its_kind(void **state)
{
    const struct cmp_mac_work other = {.kind = KIND + 1, .steps = LANE_STEPS_MIN};
    int64_t before;
    int64_t before_other;
    int64_t began;
    struct asker *a;

    (void)state;
    begin(0);
    before = lane_turn_ms(f.lane, &small);
    before_other = lane_turn_ms(f.lane, &other);
    began = clock_monotonic_ms();
    f.burn_ns = before * NS_IN_MS / LANE_SHARE * 2;
    a = enter('a');
    assert_non_null(a);
    run();
    assert_true(a->derived);
    assert_true(clock_monotonic_ms() - began + 1 >= LANE_SHARE * a->burn_ns / NS_IN_MS);
    assert_true(lane_turn_ms(f.lane, &small) > before);
    assert_int_equal(lane_turn_ms(f.lane, &other), before_other);
    end();
}

static void
who_is_gone_has_no_turn(void **state)
{
    struct asker *never; /* gone */
    struct asker *a;

    (void)state;
    begin(0);
    assert_non_null(enter('a'));
    a = enter('b');
    assert_non_null(a);
    never = enter('c');
    assert_non_null(never);
    never->turn.gone = NULL;
    a->dead = true;
    run();
    assert_string_equal(f.order, "ac");
    assert_false(a->derived);
    end();
}

static void
who_waited_too_long_is_turned_away(void **state)
{
    (void)state;
    begin(1);
    assert_true(lane_turn_ms(f.lane, &small) > 2);
    for (const char *p = "abc"; *p != '\0'; p++) {
        assert_non_null(enter(*p));
    }
    run();
    assert_string_equal(f.order, "a");
    /* and whoever comes then finds an empty lane */
    assert_non_null(enter('d'));
    run();
    assert_string_equal(f.order, "ad");
    end();
}

static void
a_lane_that_stops_ends_the_turn_and_turns_the_others_away(void **state)
{
    struct asker *a;

    (void)state;
    begin(0);
    a = enter('a');
    assert_non_null(a);
    for (int i = 0; i < 10; i++) {
        assert_non_null(enter('b'));
    }
    lane_stop(f.lane);
    assert_int_equal(f.over, 10);
    assert_false(a->over);
    assert_null(enter('c'));
    run();
    assert_true(a->derived);
    assert_string_equal(f.order, "a");
    assert_int_equal(had_turns('b'), 0);
    end();
}

static void
what_was_raised_is_lowered_by_time_alone(void **state)
{
    struct lane_pace pace;
    struct err e = {0};
    int64_t measured;

    (void)state;
    assert_ok(lane_pace_measure(&pace, KIND, &e), &e);
    measured = lane_pace_ns(&pace, LANE_STEPS_MIN);
    lane_pace_raise(&pace, 1000);
    lane_pace_raise(&pace, 2000);
    assert_true(lane_pace_ns(&pace, LANE_STEPS_MIN) > measured);
    lane_pace_settle(&pace, 2000 + 10 * 60 * 1000);
    assert_true(lane_pace_ns(&pace, LANE_STEPS_MIN) > measured);
    lane_pace_settle(&pace, 2001 + 10 * 60 * 1000);
    assert_int_equal(lane_pace_ns(&pace, LANE_STEPS_MIN), measured);
}

/* With numbers that are easy to follow. */
static void
a_pace_is_so_many_steps_and_a_quarter(void **state)
{
    struct lane_pace pace = {.measured_ps = 1000, .foreseen_ps = 4000};

    (void)state;
    assert_int_equal(lane_pace_ns(&pace, 1000000), 4000000);
    lane_pace_settle(&pace, 1); /* it was not raised */
    assert_int_equal(lane_pace_ns(&pace, 1000000), 4000000);
    lane_pace_raise(&pace, 7);
    assert_int_equal(lane_pace_ns(&pace, 1000000), 5000000);
    lane_pace_raise(&pace, 7);
    assert_int_equal(lane_pace_ns(&pace, 1000000), 6250000);
    lane_pace_settle(&pace, 7 + 10 * 60 * 1000 + 1);
    assert_int_equal(lane_pace_ns(&pace, 1000000), 1250000);
    assert_int_equal(pace.raised_until_ms, 0);
}

/* When whoever is before it, and it, would have had their turns; at most as long as one waits. */
static void
who_is_turned_away_hears_when_there_is_a_place(void **state)
{
    struct cmp_mac_work dear = small;
    int64_t ms;

    (void)state;
    begin(0);
    while (lane_turn_ms(f.lane, &dear) < 1500) {
        dear.steps = dear.steps * 5 / 4;
    }
    ms = lane_turn_ms(f.lane, &dear);
    assert_non_null(enter_with('a', NULL, &dear, true));
    assert_non_null(enter_with('b', NULL, &dear, true));
    assert_non_null(enter_with('c', NULL, &dear, true));
    lane_stop(f.lane);
    assert_int_equal(f.over, 2);
    assert_int_equal(f.askers[2].turn.retry_after, 3 * ms / 1000 + 1);
    assert_int_equal(f.askers[1].turn.retry_after, 2 * ms / 1000 + 1);
    assert_int_equal(lane_enter(f.lane, &f.askers[2].turn), ms / 1000 + 1);
    end();
    begin(0);
    while (lane_turn_ms(f.lane, &dear) < LANE_WAIT_MS) {
        dear.steps *= 2;
    }
    assert_non_null(enter_with('a', NULL, &dear, true));
    lane_stop(f.lane);
    assert_int_equal(lane_enter(f.lane, &f.askers[0].turn), LANE_WAIT_MS / 1000);
    end();
}

static void
what_costs_little_needs_no_lane(void **state)
{
    (void)state;
    assert_false(lane_is_for(&(struct cmp_mac_work){.steps = CMP_MAC_COUNT_MAX}));
    assert_true(lane_is_for(&(struct cmp_mac_work){.steps = CMP_MAC_COUNT_MAX + 1}));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_come_in_turn),
        cmocka_unit_test(what_counts_is_the_cost),
        cmocka_unit_test(places_are_bounded_by_address_and_reference),
        cmocka_unit_test(a_full_lane_is_shared_by_addresses),
        cmocka_unit_test(all_together_take_a_quarter_of_a_core),
        cmocka_unit_test(nobody_takes_as_long_and_computes_nothing),
        cmocka_unit_test(what_takes_longer_lengthens_all_turns_of_its_kind),
        cmocka_unit_test(who_is_gone_has_no_turn),
        cmocka_unit_test(who_waited_too_long_is_turned_away),
        cmocka_unit_test(a_lane_that_stops_ends_the_turn_and_turns_the_others_away),
        cmocka_unit_test(what_was_raised_is_lowered_by_time_alone),
        cmocka_unit_test(a_pace_is_so_many_steps_and_a_quarter),
        cmocka_unit_test(who_is_turned_away_hears_when_there_is_a_place),
        cmocka_unit_test(what_costs_little_needs_no_lane),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);

    pool_contexts_free();
    return failed;
}
