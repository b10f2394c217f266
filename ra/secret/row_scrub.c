/* SPDX-License-Identifier: Apache-2.0 */
#include "ra/secret/row_scrub.h"

#include <event2/event.h>
#include <inttypes.h>
#include <stdlib.h>

#include "base/log.h"
#include "db/requests/seals.h"

enum {
    STEP_ROWS = 50,
    PAUSE_MS = 50,
    PASS_PAUSE_MS = 60 * 1000, /* so that few rows are not looked at all the time */
};

struct row_scrub {
    struct ra *ra;
    struct event *timer;
    struct store_op op;
    bool busy;
    bool stopped;
    int64_t begun_ms;
    time_t begun;
    struct row_scrub_status status; /* nothing is seen: no pass is under way */
    /* The writer thread's, while it is busy: */
    struct sealed_cursor at;
    size_t seen;
    bool end;
};

static int
run_step(struct store_op *op, struct store_db *db, struct err *e)
{
    struct row_scrub *s = CONTAINER_OF(op, struct row_scrub, op);

    return sealed_scrub(db, &s->at, STEP_ROWS, &s->seen, &s->end, e);
}

static void
step_after(struct row_scrub *s, int ms)
{
    const struct timeval pause = {.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};

    if (!s->stopped) {
        (void)event_add(s->timer, &pause);
    }
}

static void
pass_ended(struct row_scrub *s)
{
    struct row_scrub_status *st = &s->status;

    if (st->seen > 0) {
        log_event(LOG_DEBUG, "scrubbed", "%" PRIu64 " rows and seals in %" PRId64 " ms", st->seen,
                  clock_monotonic_ms() - s->begun_ms);
        st->last.seen = st->seen;
        st->last.begun = s->begun;
        st->last.ended = clock_now();
    }
    st->at = "rest";
    st->seen = 0;
    st->begun = 0;
}

static void
on_stepped(struct task *task)
{
    struct row_scrub *s = CONTAINER_OF(task, struct row_scrub, op.task);

    s->busy = false;
    if (s->op.result != 0) {
        ra_fail(s->ra, &s->op.e);
        return;
    }
    s->status.seen += s->seen;
    if (s->end) {
        pass_ended(s);
    } else {
        s->status.at = s->at.rows ? requests_tables[s->at.table]->name : "seal";
        s->status.begun = s->begun;
    }
    step_after(s, s->end ? PASS_PAUSE_MS : PAUSE_MS);
}

static void
on_time(evutil_socket_t fd, short what, void *arg)
{
    struct row_scrub *s = arg;

    (void)fd;
    (void)what;
    if (s->status.seen == 0) {
        s->begun_ms = clock_monotonic_ms();
        s->begun = clock_now();
    }
    s->busy = true;
    s->op = (struct store_op){.run = run_step, .task = {.done = on_stepped}};
    store_submit(s->ra->store, &s->op);
}

struct row_scrub *
row_scrub_new(struct ra *ra)
{
    struct row_scrub *s = mem_new(sizeof(*s));

    s->ra = ra;
    s->status.at = "rest";
    s->timer = event_new(ra->base, -1, 0, on_time, s);
    if (s->timer == NULL) {
        abort(); /* out of memory */
    }
    step_after(s, PAUSE_MS);
    return s;
}

void
row_scrub_stop(struct row_scrub *s)
{
    s->stopped = true;
    (void)event_del(s->timer);
}

struct row_scrub_status
row_scrub_status(const struct row_scrub *s)
{
    return s->status;
}

bool
row_scrub_is_busy(const struct row_scrub *s)
{
    return s->busy;
}

void
row_scrub_free(struct row_scrub *s)
{
    if (s != NULL) {
        event_free(s->timer);
        sealed_cursor_free(&s->at);
        mem_free(s);
    }
}
