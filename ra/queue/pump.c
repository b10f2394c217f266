/* SPDX-License-Identifier: Apache-2.0 */
#include "ra/queue/pump.h"

#include <event2/event.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/ossl.h"
#include "ca/cmp/queue.h"
#include "ra/queue/rewrap.h"

enum { PUMP_MAX = 64, PUMP_PAUSE_MS = 200, WRAP_PAUSE_S = 1 };

struct pump {
    struct ra *ra;
    struct link_client *link;
    struct flights *flights;
    struct event *retry;
    struct event *asking; /* the CA about what it keeps waiting */
    int64_t asking_at;    /* by the monotonic clock, while that is pending */
    bool held;
    struct store_op op;
    uint64_t after;
    struct requests_entry entries[PUMP_MAX];
    size_t n;
    bool running;
    bool again;      /* from the beginning, when this run is over */
    bool everything; /* also what the CA keeps waiting */
    bool everything_again;
    int64_t rests_until; /* the first of those that rest; 0: none does */
};

bool
pump_is_usable(const struct pump *p)
{
    return !p->held && link_client_is_up(p->link);
}

void
pump_later(struct pump *p)
{
    const struct timeval pause = {.tv_usec = PUMP_PAUSE_MS * 1000};

    if (!evtimer_pending(p->retry, NULL)) {
        (void)event_add(p->retry, &pause);
    }
}

static bool send_entry(struct pump *p, const struct requests_entry *entry, struct span nested);

static void
on_rewrapped(void *arg, const struct requests_entry *entry, struct span nested)
{
    struct pump *p = arg;
    struct flight *f = flights_find(p->flights, entry->rid);

    if (f != NULL) {
        f->on_wire = false;
        flights_remove_if_idle(p->flights, entry->rid);
    }
    if (nested.n == 0) {
        pump_ask_later(p, WRAP_PAUSE_S);
    } else if (pump_is_usable(p) && !send_entry(p, entry, nested)) {
        pump_later(p);
    }
}

/* Under way, as it were on the wire. False when no more can be now. */
static bool
wrap_entry(struct pump *p, struct flight *f, const struct requests_entry *entry, struct span nested)
{
    f->on_wire = rewrap_begin(p->ra, entry, nested, on_rewrapped, p);
    if (!f->on_wire) {
        flights_remove_if_idle(p->flights, entry->rid);
        return false;
    }
    return true;
}

/* False when the link takes no more now. */
static bool
send_entry(struct pump *p, const struct requests_entry *entry, struct span nested)
{
    struct flight *f = flights_get(p->flights, entry->rid);
    const struct link_message m = {
        .type = LINK_SUBMIT,
        .id = span_of(entry->rid, sizeof(entry->rid)),
        .sequence = entry->sequence,
        .previous = span_of(entry->previous, sizeof(entry->previous)),
        .body = nested,
    };
    struct err e;

    if (f->on_wire) {
        return true;
    }
    if (entry->untimely || rewrap_is_needed(p->ra, nested)) {
        return wrap_entry(p, f, entry, nested);
    }
    if (link_client_send(p->link, &m, &e) == 0) {
        f->on_wire = true;
        return true;
    }
    flights_remove_if_idle(p->flights, entry->rid);
    if (e.code == ERR_BUSY) {
        return false;
    }
    log_err(LOG_ERROR, "submit-failed", &e, "queue entry %llu",
            (unsigned long long)entry->sequence);
    return true;
}

static void
visit(void *arg, const struct requests_entry *entry)
{
    struct pump *p = arg;
    struct requests_entry *copy = &p->entries[p->n++];
    struct err e;

    *copy = *entry;
    copy->nested = BUF_INIT(CMP_NESTED_MAX);
    if (buf_set(&copy->nested, buf_span(&entry->nested), &e) != 0) {
        p->n--; /* longer than anything that was admitted: damaged, and the chain check says so */
    }
}

static int
run(struct store_op *op, struct store_db *db, struct err *e)
{
    struct pump *p = CONTAINER_OF(op, struct pump, op);

    const int64_t now = clock_now();

    p->n = 0;
    p->rests_until = 0;
    if (requests_open_each(db, p->after, p->everything ? INT64_MAX : now, PUMP_MAX, visit, p, e) !=
        0) {
        return -1;
    }
    return p->n < PUMP_MAX ? requests_rest_until(db, now, &p->rests_until, e) : 0;
}

static void done(struct task *task);

static void
step(struct pump *p)
{
    p->running = true;
    p->op = (struct store_op){.task.done = done, .run = run};
    store_submit(p->ra->store, &p->op);
}

void
pump_start(struct pump *p, bool everything)
{
    if (!pump_is_usable(p)) {
        return;
    }
    if (p->running) {
        p->again = true;
        p->everything_again = p->everything_again || everything;
        return;
    }
    p->everything = everything;
    p->after = 0;
    step(p);
}

/* The timer stands for the first of them only. */
static void
ask_when_rested(struct pump *p)
{
    const int64_t seconds = p->rests_until - clock_now();

    if (p->rests_until != 0) {
        pump_ask_later(p, seconds < 1                      ? 1
                          : seconds > LINK_CHECK_AFTER_MAX ? LINK_CHECK_AFTER_MAX
                                                           : (int)seconds);
    }
}

static void
done(struct task *task)
{
    struct pump *p = CONTAINER_OF(task, struct pump, op.task);
    bool more = p->n == PUMP_MAX;
    bool room = true;

    p->running = false;
    if (p->op.result != 0) {
        ra_fail(p->ra, &p->op.e);
        more = false;
    }
    for (size_t i = 0; i < p->n; i++) {
        if (room && pump_is_usable(p)) {
            room = send_entry(p, &p->entries[i], buf_span(&p->entries[i].nested));
        }
        p->after = p->entries[i].sequence;
        requests_entry_clear(&p->entries[i]);
    }
    p->n = 0;
    if (!room) {
        pump_later(p);
    } else if (more && pump_is_usable(p)) {
        step(p);
        return;
    }
    ask_when_rested(p);
    if (p->again) {
        bool everything = p->everything_again;

        p->again = false;
        p->everything_again = false;
        pump_start(p, everything);
    }
}

static void
on_retry(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    pump_start(arg, false);
}

void
pump_ask_later(struct pump *p, int seconds)
{
    const struct timeval pause = {.tv_sec = seconds};
    const int64_t at = clock_monotonic_ms() + (int64_t)seconds * 1000;

    if (!evtimer_pending(p->asking, NULL) || at < p->asking_at) {
        p->asking_at = at;
        (void)event_add(p->asking, &pause);
    }
}

void
pump_admitted(struct pump *p, const struct requests_entry *entry, struct span nested)
{
    if (pump_is_usable(p) && !p->running && !send_entry(p, entry, nested)) {
        pump_later(p);
    }
}

void
pump_hold(struct pump *p, bool held)
{
    p->held = held;
}

bool
pump_is_held(const struct pump *p)
{
    return p->held;
}

bool
pump_is_running(const struct pump *p)
{
    return p->running;
}

struct pump *
pump_new(struct ra *ra, struct link_client *link, struct flights *flights)
{
    struct pump *p = mem_new(sizeof(*p));

    p->ra = ra;
    p->link = link;
    p->flights = flights;
    p->retry = evtimer_new(ra->base, on_retry, p);
    p->asking = evtimer_new(ra->base, on_retry, p);
    if (p->retry == NULL || p->asking == NULL) {
        abort(); /* out of memory */
    }
    return p;
}

void
pump_free(struct pump *p)
{
    if (p == NULL) {
        return;
    }
    event_free(p->retry);
    event_free(p->asking);
    for (size_t i = 0; i < PUMP_MAX; i++) {
        requests_entry_clear(&p->entries[i]);
    }
    mem_free(p);
}
