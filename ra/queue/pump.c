/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A run reads page after page:
 *
 *   read -> places, for what needs another -> read again
 *        -> signatures, for heads that have none -> read again
 *        -> send what can be sent -> the next page, or the end
 *
 * What has neither got another place nor a signature by then is left for a later run.
 */
#include "ra/queue/pump.h"

#include <event2/event.h>
#include <stdlib.h>

#include "base/log.h"
#include "ra/queue/page.h"
#include "ra/queue/signing.h"

enum { PUMP_PAUSE_MS = 200, LEFT_PAUSE_S = 1, LEFT_PAUSE_MAX_S = 60 };

struct pump {
    struct ra *ra;
    struct link_client *link;
    struct flights *flights;
    struct event *retry;
    struct event *asking; /* the CA about what it keeps waiting */
    int64_t asking_at;    /* by the monotonic clock, while that is pending */
    bool held;
    bool running;
    bool again;      /* from the beginning, when this run is over */
    bool everything; /* also what the CA keeps waiting */
    bool everything_again;

    struct store_op op;
    uint64_t after;
    struct page page;
    int64_t rests_until; /* as the last page says it */

    /* While it is read again. */
    bool placed; /* whoever needed another place and has none gets none now */
    struct signing signing;
    bool left;   /* something is, for a later run */
    int pause_s; /* before that: longer each time, for what nobody signs, nor can be mended here */
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

/* False when the link takes no more now. */
static bool
send_item(struct pump *p, const struct queue_item *item)
{
    struct flight *f = flights_get(p->flights, item->rid);
    CLEANUP(buf_free) struct buf body = {0};
    struct link_message m = {
        .type = LINK_SUBMIT,
        .id = span_of(item->rid, REQUESTS_RID_SIZE),
    };
    struct err e;

    if (f->on_wire) {
        return true;
    }
    f->enrolment = item->enrolment;
    if (head_submission(p->ra, item, &body, &e) == 0) {
        m.body = buf_span(&body);
        if (link_client_send(p->link, &m, &e) == 0) {
            f->on_wire = true;
            return true;
        }
    }
    flights_remove_if_idle(p->flights, item->rid);
    if (e.code == ERR_BUSY) {
        return false;
    }
    log_err(LOG_ERROR, "submit-failed", &e, "queue entry %llu", (unsigned long long)item->sequence);
    return true;
}

/* ---- a page is read ---- */

static int
run(struct store_op *op, struct store_db *db, struct err *e)
{
    struct pump *p = CONTAINER_OF(op, struct pump, op);

    return page_read(&p->page, db, p->after, p->everything, e);
}

static void done(struct task *task);

static void
step(struct pump *p)
{
    p->running = true;
    p->op = (struct store_op){.task.done = done, .run = run};
    store_submit(p->ra->store, &p->op);
}

/* ---- another place ---- */

static void end(struct pump *p);

/* So that it ends, only when there was a way to go on. */
static void
go_on(struct pump *p)
{
    if (pump_is_usable(p)) {
        step(p);
    } else {
        end(p);
    }
}

static void
on_placed(void *arg, size_t n)
{
    struct pump *p = arg;

    p->placed = n == 0;
    go_on(p);
}

/* Takes them off the page; false when none needs one. */
static bool
place_entries(struct pump *p)
{
    struct places *places = places_new(p->ra);

    for (size_t i = 0; i < p->page.n; i++) {
        struct page_entry *x = &p->page.all[i];

        if (x->left || !places_are_needed(p->ra, &x->entry, x->head)) {
            continue;
        }
        x->left = true;
        if (p->placed) {
            p->left = true;
        } else {
            places_add(places, &x->entry, x->head);
        }
    }
    if (places_count(places) == 0) {
        places_free(places);
        return false;
    }
    places_begin(places, on_placed, p);
    return true;
}

/* ---- signatures ---- */

static void
on_signatures(void *arg)
{
    go_on(arg);
}

/* ---- what can be sent is sent ---- */

/* False when the link takes no more now. */
static bool
send_page(struct pump *p)
{
    bool room = true;

    for (size_t i = 0; i < p->page.n && room && pump_is_usable(p); i++) {
        const struct page_entry *x = &p->page.all[i];
        const struct queue_item item = {.rid = x->entry.rid,
                                        .sequence = x->entry.sequence,
                                        .enrolment = x->entry.enrolment,
                                        .message = buf_span(&x->entry.message),
                                        .entry = buf_span(&x->entry.entry),
                                        .head = x->head};

        if (x->left) {
            continue;
        }
        if (head_is_signed(x->head)) {
            room = send_item(p, &item);
        } else {
            p->left = true;
        }
    }
    return room;
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
look_at_left(struct pump *p)
{
    if (!p->left || p->signing.away) {
        p->pause_s = LEFT_PAUSE_S;
    }
    if (p->left) {
        pump_ask_later(p, p->pause_s);
        p->pause_s = p->pause_s < LEFT_PAUSE_MAX_S / 2 ? 2 * p->pause_s : LEFT_PAUSE_MAX_S;
    }
}

static void
end(struct pump *p)
{
    signing_forget(&p->signing);
    p->placed = false;
    p->running = false;
    ask_when_rested(p);
    look_at_left(p);
    if (p->again) {
        bool everything = p->everything_again;

        p->again = false;
        p->everything_again = false;
        pump_start(p, everything);
    }
}

/* What the page has is known, placed and signed, as far as it can be. */
static void
finish_page(struct pump *p)
{
    const bool more = p->page.n == PAGE_MAX;
    const bool room = send_page(p);

    if (p->page.n > 0) {
        p->after = p->page.all[p->page.n - 1].entry.sequence;
    }
    page_clear(&p->page, p->ra);
    signing_forget(&p->signing);
    p->placed = false;
    p->left = p->left || p->signing.away;
    if (!room) {
        pump_later(p);
    } else if (more && pump_is_usable(p) && !p->signing.away) {
        step(p);
        return;
    }
    end(p);
}

static void
done(struct task *task)
{
    struct pump *p = CONTAINER_OF(task, struct pump, op.task);

    if (p->op.result != 0) {
        ra_fail(p->ra, &p->op.e);
        page_clear(&p->page, p->ra);
        end(p);
    } else if (!pump_is_usable(p)) {
        page_clear(&p->page, p->ra);
        end(p);
    } else {
        p->rests_until = p->page.rests_until;
        p->left = !page_look(&p->page, p->ra, p->flights) || p->left;
        if (place_entries(p) || signing_ask(&p->signing, &p->page)) {
            page_clear(&p->page, p->ra);
        } else {
            finish_page(p);
        }
    }
}

/* ---- when it runs ---- */

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
    p->signing.away = false;
    p->left = false;
    p->ra->not_ours_told = false;
    step(p);
}

static void
on_retry(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    pump_start(arg, false);
}

static void
on_asking(evutil_socket_t fd, short what, void *arg)
{
    struct pump *p = arg;

    (void)fd;
    (void)what;
    if (p->running) {
        pump_ask_later(p, LEFT_PAUSE_S); /* a run that takes long is not followed by the next */
    } else {
        pump_start(p, false);
    }
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
pump_left(struct pump *p, const struct err *why)
{
    pump_ask_later(p, signing_is_away(why) ? LEFT_PAUSE_S : p->pause_s);
}

void
pump_admitted(struct pump *p, const struct queue_item *item)
{
    if (pump_is_usable(p) && !p->running && !send_item(p, item)) {
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
    p->pause_s = LEFT_PAUSE_S;
    p->signing = (struct signing){.ra = ra, .done = on_signatures, .arg = p};
    p->retry = evtimer_new(ra->base, on_retry, p);
    p->asking = evtimer_new(ra->base, on_asking, p);
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
    signing_forget(&p->signing);
    page_clear(&p->page, p->ra);
    mem_free(p);
}
