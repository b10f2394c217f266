/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/due/clock.h"

#include <event2/event.h>

enum { TICK_S = 10, MS = 1000 };

struct clock_watch {
    struct ca *ca;
    struct event *timer;
    struct store_op op;
    int64_t apart; /* of the clock from the monotonic one, in ms, when it was told last */
    time_t now, expected;
    bool busy;
};

static int64_t
apart_now(void)
{
    return (int64_t)clock_now() * MS - clock_monotonic_ms();
}

static int
run_append(struct store_op *op, struct store_db *db, struct err *e)
{
    struct clock_watch *c = CONTAINER_OF(op, struct clock_watch, op);
    CLEANUP(leaf_cleanup) struct leaf *leaf = leaf_new(LEAF_CLOCK, c->now);

    leaf_set_time(leaf, "expected", c->expected);
    return ledger_append(db, leaf, NULL, e);
}

static void
on_appended(struct task *task)
{
    struct clock_watch *c = CONTAINER_OF(task, struct clock_watch, op.task);

    ca_check_store(&c->op, "the clock was set");
    c->busy = false;
    c->ca->jobs--;
}

static void
again(struct clock_watch *c)
{
    const struct timeval tick = {.tv_sec = TICK_S};

    (void)event_add(c->timer, &tick);
}

static void
on_tick(int fd, short what, void *arg)
{
    struct clock_watch *c = arg;
    const int64_t apart = apart_now();
    const int64_t step = apart - c->apart;

    (void)fd;
    (void)what;
    again(c);
    if (c->busy || c->ca->stopping || (step <= CLOCK_STEP_S * MS && step >= -CLOCK_STEP_S * MS)) {
        return;
    }
    c->apart = apart;
    c->now = clock_now();
    c->expected = c->now - (time_t)(step / MS);
    log_event(LOG_WARNING, "clock-set", "the clock was set by %lld s while this ran",
              (long long)(step / MS));
    c->busy = true;
    c->ca->jobs++;
    c->op = (struct store_op){.run = run_append, .task = {.done = on_appended}};
    store_submit(c->ca->store, &c->op);
}

void
clock_watch_free(struct clock_watch *c)
{
    if (c != NULL) {
        event_free(c->timer);
        mem_free(c);
    }
}

struct clock_watch *
clock_watch_new(struct ca *ca)
{
    struct clock_watch *c = mem_new(sizeof(*c));

    c->ca = ca;
    c->apart = apart_now();
    c->timer = ca_timer(ca, on_tick, c);
    again(c);
    return c;
}
