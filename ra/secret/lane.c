/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Invariants: `running` is no longer in `waiting`; while it is set the timer is pending, or has
 * fired and the derivation has not come back. Nobody's turn differs from any other in one thing:
 * nothing is given to the thread.
 */
#include "ra/secret/lane.h"

#include <assert.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>

#include "base/ossl.h"
#include "ra/secret/lane_pace.h"

enum { NS_IN_MS = 1000000 };

struct lane {
    struct pool *pool;
    struct event *timer;
    struct lane_pace paces[CMP_MAC_KINDS];
    struct lane_turn *waiting[LANE_WAITING_MAX]; /* in the order in which they came */
    size_t n_waiting;
    struct lane_turn *running;
    bool computed;
    int64_t began_ms;
    int64_t lasts_ms;
    int64_t at; /* `start` of the last that began */
    int64_t wait_ms;
    bool stopped;
};

static int64_t
foreseen_ns(const struct lane *lane, const struct cmp_mac_work *work)
{
    return lane_pace_ns(&lane->paces[work->kind], work->steps);
}

static int64_t
turn_ms(int64_t ns)
{
    return (LANE_SHARE * ns + NS_IN_MS - 1) / NS_IN_MS;
}

int64_t
lane_turn_ms(const struct lane *lane, const struct cmp_mac_work *work)
{
    return turn_ms(foreseen_ns(lane, work));
}

/* ---- whose turn it is ---- */

static void begin_next(struct lane *);

static void
remove_at(struct lane *lane, size_t i)
{
    lane->n_waiting--;
    for (; i < lane->n_waiting; i++) {
        lane->waiting[i] = lane->waiting[i + 1];
    }
}

/* When all who wait now would have had their turns. */
static int
retry_after(const struct lane *lane)
{
    int64_t ms = lane->running != NULL ? lane->lasts_ms : 0;

    for (size_t i = 0; i < lane->n_waiting; i++) {
        ms += lane_turn_ms(lane, &lane->waiting[i]->work);
    }
    return (int)(ms < LANE_WAIT_MS ? ms / 1000 + 1 : LANE_WAIT_MS / 1000);
}

static void
turn_away(struct lane *lane, size_t i)
{
    struct lane_turn *turn = lane->waiting[i];

    turn->retry_after = retry_after(lane);
    remove_at(lane, i);
    turn->done(turn);
}

/* Whom nobody asks for any more, and who waited for too long: in whatever place they stand. */
static void
drop_late(struct lane *lane, int64_t now_ms)
{
    size_t i = 0;

    while (i < lane->n_waiting) {
        struct lane_turn *turn = lane->waiting[i];

        if ((turn->gone != NULL && turn->gone(turn)) || now_ms - turn->since_ms > lane->wait_ms) {
            turn_away(lane, i);
        } else {
            i++;
        }
    }
}

static void
set_timer(struct lane *lane, int64_t ms)
{
    const struct timeval in = {.tv_sec = (time_t)(ms / 1000),
                               .tv_usec = (suseconds_t)(ms % 1000 * 1000)};

    if (event_add(lane->timer, &in) != 0) {
        abort(); /* out of memory */
    }
}

/* The turn is over when its time is over and its key is there. */
static void
end_turn(struct lane *lane)
{
    struct lane_turn *turn = lane->running;
    int64_t left = lane->began_ms + lane->lasts_ms - clock_monotonic_ms();

    if (left > 0) {
        set_timer(lane, left);
    } else if (lane->computed) {
        lane->running = NULL;
        begin_next(lane);
        turn->done(turn);
    }
}

static void
on_timer(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    end_turn(arg);
}

static void
derive_run(struct task *task)
{
    struct lane_turn *turn = CONTAINER_OF(task, struct lane_turn, task);
    int64_t before = lane_pace_cpu_ns();

    turn->derive(turn);
    turn->cpu_ns = lane_pace_cpu_ns() - before;
}

static void
derive_done(struct task *task)
{
    struct lane_turn *turn = CONTAINER_OF(task, struct lane_turn, task);
    struct lane *lane = turn->lane;

    lane->computed = true;
    if (turn->cpu_ns > foreseen_ns(lane, &turn->work)) {
        lane_pace_raise(&lane->paces[turn->work.kind], clock_monotonic_ms());
        lane->lasts_ms = turn_ms(turn->cpu_ns);
    }
    if (!event_pending(lane->timer, EV_TIMEOUT, NULL)) {
        end_turn(lane);
    }
}

static void
begin_next(struct lane *lane)
{
    int64_t now_ms = clock_monotonic_ms();
    size_t next = 0;
    struct lane_turn *turn;

    drop_late(lane, now_ms);
    if (lane->n_waiting == 0) {
        return;
    }
    for (size_t i = 1; i < lane->n_waiting; i++) {
        if (lane->waiting[i]->start < lane->waiting[next]->start) {
            next = i;
        }
    }
    turn = lane->waiting[next];
    remove_at(lane, next);
    lane_pace_settle(&lane->paces[turn->work.kind], now_ms);
    lane->running = turn;
    lane->at = turn->start;
    lane->began_ms = now_ms;
    lane->lasts_ms = lane_turn_ms(lane, &turn->work);
    lane->computed = turn->nobody;
    if (!turn->nobody) {
        turn->task = (struct task){.run = derive_run, .done = derive_done};
        pool_submit(lane->pool, &turn->task);
    }
    set_timer(lane, lane->lasts_ms);
}

/* ---- who may wait ---- */

static bool
is_of(const struct lane_turn *turn, const struct lane_turn *like, bool by_reference)
{
    return by_reference ? strcmp(turn->reference, like->reference) == 0
                        : http_address_is_equal(&turn->address, &like->address);
}

static size_t
count(const struct lane *lane, const struct lane_turn *like, bool by_reference)
{
    size_t n = 0;

    for (size_t i = 0; i < lane->n_waiting; i++) {
        n += is_of(lane->waiting[i], like, by_reference);
    }
    return n;
}

/* How many of those who wait are of this one's address; `of`: and of its reference. */
static size_t
count_of_address(const struct lane *lane, const struct lane_turn *one, const struct lane_turn *of)
{
    size_t n = 0;

    for (size_t i = 0; i < lane->n_waiting; i++) {
        n += is_of(lane->waiting[i], one, false) &&
             (of == NULL || is_of(lane->waiting[i], of, true));
    }
    return n;
}

/* The youngest of the address that holds most places (`of`: of this reference) gives its own to a
 * newcomer whose address holds two less. */
static bool
make_place(struct lane *lane, const struct lane_turn *newcomer, const struct lane_turn *of)
{
    size_t least = count_of_address(lane, newcomer, of) + 2;
    size_t most = 0;
    size_t at = 0;

    for (size_t i = 0; i < lane->n_waiting; i++) {
        size_t n = of != NULL && !is_of(lane->waiting[i], of, true)
                       ? 0
                       : count_of_address(lane, lane->waiting[i], of);

        if (n >= most) {
            most = n;
            at = i;
        }
    }
    if (most < least) {
        return false;
    }
    turn_away(lane, at);
    return true;
}

/* It begins when the last of its address ends, which need not be the last that came: the dear ones
 * of an address are its own affair. */
static void
schedule(const struct lane *lane, struct lane_turn *turn)
{
    turn->start = lane->at;
    if (lane->running != NULL && is_of(lane->running, turn, false)) {
        turn->start = lane->running->end;
    }
    for (size_t i = 0; i < lane->n_waiting; i++) {
        if (is_of(lane->waiting[i], turn, false) && lane->waiting[i]->end > turn->start) {
            turn->start = lane->waiting[i]->end;
        }
    }
    turn->end = turn->start + foreseen_ns(lane, &turn->work);
}

bool
lane_is_for(const struct cmp_mac_work *work)
{
    return work->steps >= LANE_STEPS_MIN;
}

int
lane_enter(struct lane *lane, struct lane_turn *turn)
{
    assert(turn->work.kind < CMP_MAC_KINDS);
    if (lane->stopped || count(lane, turn, false) >= LANE_ADDRESS_MAX ||
        (count(lane, turn, true) >= LANE_REFERENCE_MAX && !make_place(lane, turn, turn)) ||
        (lane->n_waiting == LANE_WAITING_MAX && !make_place(lane, turn, NULL))) {
        return retry_after(lane);
    }
    turn->lane = lane;
    turn->retry_after = 0;
    turn->since_ms = clock_monotonic_ms();
    schedule(lane, turn);
    lane->waiting[lane->n_waiting++] = turn;
    if (lane->running == NULL) {
        begin_next(lane);
    }
    return 0;
}

void
lane_stop(struct lane *lane)
{
    lane->stopped = true;
    while (lane->n_waiting > 0) {
        turn_away(lane, lane->n_waiting - 1);
    }
}

size_t
lane_waiting(const struct lane *lane)
{
    return lane->n_waiting;
}

/* ---- life ---- */

void
lane_free(struct lane *lane)
{
    if (lane == NULL) {
        return;
    }
    pool_free(lane->pool);
    if (lane->timer != NULL) {
        event_free(lane->timer);
    }
    mem_free(lane);
}

struct lane *
lane_new(struct event_base *base, struct tasks *finished, int64_t wait_ms, struct err *e)
{
    CLEANUP(lane_cleanup) struct lane *lane = mem_new(sizeof(*lane));

    lane->wait_ms = wait_ms > 0 ? wait_ms : LANE_WAIT_MS;
    for (unsigned kind = 0; kind < CMP_MAC_KINDS; kind++) {
        if (lane_pace_measure(&lane->paces[kind], kind, e) != 0) {
            return NULL;
        }
    }
    lane->timer = event_new(base, -1, 0, on_timer, lane);
    if (lane->timer == NULL) {
        abort(); /* out of memory */
    }
    lane->pool = pool_new(1, finished, e);
    return lane->pool == NULL ? NULL : TAKE(lane);
}
