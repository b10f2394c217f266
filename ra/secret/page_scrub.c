/* SPDX-License-Identifier: Apache-2.0 */
#include "ra/secret/page_scrub.h"

#include <event2/event.h>
#include <inttypes.h>
#include <stdlib.h>

#include "base/log.h"
#include "db/store/store.h"

enum {
    STEP_PAGES = 64,
    PAUSE_MS = 50,
    PASS_PAUSE_MS = 60 * 1000, /* so that few pages are not looked at all the time */
};

struct page_scrub {
    struct ra *ra;
    struct event *timer;
    struct store_op op;
    bool busy;
    bool stopped;
    int64_t begun_ms;
    time_t begun;
    struct page_scrub_status status; /* nothing is seen: no pass is under way */
    /* The writer thread's, while it is busy: */
    uint64_t page;
    uint64_t seen;
    bool end;
};

static int
run_step(struct store_op *op, struct store_db *db, struct err *e)
{
    struct page_scrub *s = CONTAINER_OF(op, struct page_scrub, op);

    return store_scrub(db, &s->page, STEP_PAGES, &s->seen, &s->end, e);
}

static void
step_after(struct page_scrub *s, int ms)
{
    const struct timeval pause = {.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};

    if (!s->stopped) {
        (void)event_add(s->timer, &pause);
    }
}

static void
pass_ended(struct page_scrub *s)
{
    struct page_scrub_status *st = &s->status;

    if (st->seen > 0) {
        log_event(LOG_DEBUG, "scrubbed", "%" PRIu64 " pages in %" PRId64 " ms", st->seen,
                  clock_monotonic_ms() - s->begun_ms);
        st->last.seen = st->seen;
        st->last.begun = s->begun;
        st->last.ended = clock_now();
    }
    st->seen = 0;
    st->begun = 0;
}

static void
on_stepped(struct task *task)
{
    struct page_scrub *s = CONTAINER_OF(task, struct page_scrub, op.task);

    s->busy = false;
    if (s->op.result != 0) {
        ra_fail(s->ra, &s->op.e);
        return;
    }
    s->status.seen += s->seen;
    if (s->end) {
        pass_ended(s);
    } else {
        s->status.begun = s->begun;
    }
    step_after(s, s->end ? PASS_PAUSE_MS : PAUSE_MS);
}

static void
on_time(evutil_socket_t fd, short what, void *arg)
{
    struct page_scrub *s = arg;

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

struct page_scrub *
page_scrub_new(struct ra *ra)
{
    struct page_scrub *s = mem_new(sizeof(*s));

    s->ra = ra;
    s->timer = event_new(ra->base, -1, 0, on_time, s);
    if (s->timer == NULL) {
        abort(); /* out of memory */
    }
    step_after(s, PAUSE_MS);
    return s;
}

void
page_scrub_stop(struct page_scrub *s)
{
    s->stopped = true;
    (void)event_del(s->timer);
}

struct page_scrub_status
page_scrub_status(const struct page_scrub *s)
{
    return s->status;
}

bool
page_scrub_is_busy(const struct page_scrub *s)
{
    return s->busy;
}

void
page_scrub_free(struct page_scrub *s)
{
    if (s != NULL) {
        event_free(s->timer);
        mem_free(s);
    }
}
