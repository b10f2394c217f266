/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/due/scrub.h"

#include <event2/event.h>
#include <string.h>

#include "ca/daemon/record.h"
#include "db/issuance/scrub.h"

enum {
    STEP_MAX = 200,     /* leaves and rows */
    STEP_MAX_US = 2000, /* that others wait for */
    PAUSE_MIN_US = 10 * 1000,
    PASS_PAUSE_US = 60 * 1000 * 1000, /* so that little is not compared over and over */
    KEEP_EVERY_MS = 60 * 1000,
};

struct scrub {
    struct ca *ca;
    struct event *timer;
    struct store_op op;
    struct issuance_step step;
    bool keep; /* this step's place */
    int64_t kept_ms;
    /* The writer thread's: */
    bool loaded;
    struct issuance_scrub at;
};

static int
step(struct scrub *s, struct store_db *db, struct err *e)
{
    if (issuance_scrub_step(db, &s->at, &s->step, e) != 0) {
        return -1;
    }
    return s->step.ended || s->keep ? issuance_scrub_store(db, &s->at, e) : 0;
}

/* The published files of the leaves that were compared. A folder that cannot be written ends the
 * program, as when a checkpoint is published; nothing is wrong with the database. */
static int
mend(const struct scrub *s, struct store_db *db, uint64_t from, struct err *e)
{
    const uint64_t to = s->step.ended ? s->at.last.leaves : s->at.leaf;
    size_t put = 0;

    if (ledger_mend(s->ca->ledger, db, from, to, &put, e) != 0) {
        return -1;
    }
    if (put > 0) {
        log_event(LOG_WARNING, "published-again",
                  "%zu files of leaves up to %llu were published, and were not there any more", put,
                  (unsigned long long)to - 1);
    }
    return 0;
}

/* The next start looks at everything before it serves anybody. On the writer thread: whoever has an
 * operation in the same commit hears that it failed, and may end the program first. */
static void
found(const struct scrub *s, const struct err *why)
{
    struct err e = {0};

    log_err(LOG_ERROR, "edited", why, "scrub");
    if (ca_record_suspect(s->ca, why, &e) != 0) {
        log_err(LOG_ERROR, "not-marked", &e, "scrub"); /* a start goes on where it was found */
    }
}

static int
run_step(struct store_op *op, struct store_db *db, struct err *e)
{
    struct scrub *s = CONTAINER_OF(op, struct scrub, op);
    uint64_t from;

    if (!s->loaded && issuance_scrub_load(db, &s->at, e) != 0) {
        found(s, e);
        return -1;
    }
    s->loaded = true;
    from = s->at.leaf;
    if (step(s, db, e) != 0) {
        found(s, e);
        return -1;
    }
    return mend(s, db, from, e);
}

/* ---- the pace ---- */

static void
step_after(struct scrub *s, int64_t us)
{
    const struct timeval pause = {.tv_sec = us / 1000000, .tv_usec = us % 1000000};

    (void)event_add(s->timer, &pause);
}

static int64_t
pause_after(const struct scrub *s)
{
    const int share = s->ca->conf.scrub_share;
    const int64_t pause = s->step.took_us * (100 - share) / share;

    return s->step.ended ? PASS_PAUSE_US : pause < PAUSE_MIN_US ? PAUSE_MIN_US : pause;
}

static void
on_stepped(struct task *task)
{
    struct scrub *s = CONTAINER_OF(task, struct scrub, op.task);

    s->ca->jobs--;
    if (s->op.result != 0) {
        ca_die(&s->op.e, "scrub");
    }
    if (s->step.ended) {
        log_event(LOG_DEBUG, "scrubbed", "all rows agree with the record");
    }
    if (s->step.ended || s->keep) {
        s->kept_ms = clock_monotonic_ms();
    }
    if (!s->ca->stopping) {
        step_after(s, pause_after(s));
    }
}

static void
on_time(evutil_socket_t fd, short what, void *arg)
{
    struct scrub *s = arg;

    (void)fd;
    (void)what;
    if (s->ca->stopping) {
        return;
    }
    s->keep = clock_monotonic_ms() - s->kept_ms >= KEEP_EVERY_MS;
    s->step = (struct issuance_step){.max = STEP_MAX, .max_us = STEP_MAX_US, .now = clock_now()};
    s->op = (struct store_op){.run = run_step, .task = {.done = on_stepped}};
    s->ca->jobs++;
    store_submit(s->ca->store, &s->op);
}

void
scrub_begin(struct scrub *s)
{
    s->kept_ms = clock_monotonic_ms();
    step_after(s, PAUSE_MIN_US);
}

/* ---- what others ask ---- */

static json_t *
time_or_null(time_t at)
{
    char text[TIME_TEXT_SIZE];

    if (at == 0) {
        return json_null();
    }
    time_format(at, text);
    return json_string(text);
}

json_t *
scrub_status(const struct scrub *s, struct store_db *db, time_t now, struct err *e)
{
    struct issuance_scrub stored = {0};
    const struct issuance_scrub *at = &s->at;
    int64_t decided;

    if (!s->loaded) {
        if (issuance_scrub_load(db, &stored, e) != 0) {
            return NULL;
        }
        at = &stored;
    }
    if (issuance_scrub_decided(db, at, &decided, e) != 0) {
        return NULL;
    }
    return json_pack("{s:s,s:I,s:I,s:I,s:I,s:o,s:o,s:o,s:o,s:I}", "at",
                     at->begun == 0               ? "rest"
                     : at->leaf < at->ends.leaves ? "leaf"
                     : at->table < ORIGIN_TABLES  ? origin_name(at->table)
                                                  : "page",
                     "leaves", (json_int_t)at->leaf, "of", (json_int_t)at->ends.leaves, "page",
                     (json_int_t)at->page, "pages", (json_int_t)store_pages(db), "begun",
                     time_or_null(at->begun), "lastBegun", time_or_null(at->last.begun),
                     "lastEnded", time_or_null(at->last.ended), "lastAge",
                     at->last.ended == 0 ? json_null()
                                         : json_integer((json_int_t)(now - at->last.ended)),
                     "decidedSince", (json_int_t)decided);
}

int
scrub_keep(const struct scrub *s, struct store_db *db, struct err *e)
{
    return s == NULL || !s->loaded ? 0 : issuance_scrub_store(db, &s->at, e);
}

struct scrub *
scrub_new(struct ca *ca)
{
    struct scrub *s = mem_new(sizeof(*s));

    s->ca = ca;
    s->timer = ca_timer(ca, on_time, s);
    return s;
}

void
scrub_free(struct scrub *s)
{
    if (s == NULL) {
        return;
    }
    event_free(s->timer);
    mem_free(s);
}
