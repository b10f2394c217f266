/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/publish/committed.h"

#include <event2/event.h>

#include "pkcs11/client/evidence.h"

enum { EACH_S = 50 }; /* so that each minute has one */

struct committed {
    struct ca *ca;
    struct event *timer;
    struct signer_job job;
    bool begun;     /* it was said at the start */
    bool under_way; /* a checkpoint is signed, or not stored yet */
    bool busy;      /* `job` is at the signer */
    bool due;
    struct signer_anchored last;
    time_t at; /* of the last answer */
};

static bool
is_kept(const struct committed *c)
{
    return signer_has_anchor(c->ca->log);
}

static void
in_a_minute(struct committed *c)
{
    const struct timeval pause = {.tv_sec = EACH_S};

    (void)event_add(c->timer, &pause);
}

static void
keep(struct committed *c, const struct signer_anchored *now)
{
    c->last = *now;
    c->at = clock_now();
}

static void submit(struct committed *c);

static void
on_answer(struct task *task)
{
    struct committed *c = CONTAINER_OF(task, struct committed, job.task);
    struct signer_anchored now;

    if (c->job.result == 0) {
        c->job.result = signer_anchored_decode(buf_span(&c->job.signature), &now, &c->job.e);
    }
    if (c->job.result == 0) {
        keep(c, &now);
    } else if (c->job.e.code == ERR_STALE) {
        ca_die(&c->job.e, "the log's anchor");
    } else {
        log_err(LOG_WARNING, "anchor-not-written", &c->job.e, "again in %d s", (int)EACH_S);
    }
    buf_free(&c->job.signature);
    c->busy = false;
    c->ca->jobs--;
    if (c->due && !c->under_way) {
        submit(c);
    }
}

static void
submit(struct committed *c)
{
    c->due = false;
    c->busy = true;
    c->ca->jobs++;
    c->job = (struct signer_job){
        .task = {.done = on_answer}, .object = SIGNER_ANCHOR, .tbs = SIGNER_ANCHOR_TEXT};
    signer_submit(c->ca->log, &c->job);
}

void
committed_say(struct committed *c)
{
    if (!c->begun || c->ca->stopping) {
        return;
    }
    c->due = true;
    if (!c->busy && !c->under_way) {
        submit(c);
    }
}

void
committed_wait(struct committed *c)
{
    c->under_way = true;
}

void
committed_go(struct committed *c)
{
    c->under_way = false;
    if (c->due && !c->busy) {
        submit(c);
    }
}

static void
on_minute(evutil_socket_t fd, short what, void *arg)
{
    struct committed *c = arg;

    (void)fd;
    (void)what;
    committed_say(c);
    in_a_minute(c);
}

int
committed_now(struct committed *c, struct err *e)
{
    struct signer_anchored now;

    if (!is_kept(c)) {
        return 0;
    }
    if (signer_anchor(c->ca->log, &now, e) != 0) {
        return err_wrap(e, "signer %s: the log's anchor", ca_signer_name(&c->ca->conf.log));
    }
    keep(c, &now);
    if (!c->begun) {
        c->begun = true;
        in_a_minute(c);
    }
    return 0;
}

json_t *
committed_status(const struct committed *c)
{
    char at[TIME_TEXT_SIZE];

    if (!is_kept(c)) {
        return json_string("none");
    }
    time_format(c->at, at);
    return json_pack("{s:I,s:I,s:s}", "generation", (json_int_t)c->last.generation, "leaves",
                     (json_int_t)c->last.size, "at", at);
}

struct committed *
committed_new(struct ca *ca)
{
    struct committed *c = mem_new(sizeof(*c));

    c->ca = ca;
    c->timer = ca_timer(ca, on_minute, c);
    if (!is_kept(c)) {
        log_event(LOG_WARNING, "no-anchor",
                  "%s says anchor = none: an older copy of everything together is not known as one",
                  ca_signer_name(&ca->conf.log));
    }
    return c;
}

void
committed_free(struct committed *c)
{
    if (c == NULL) {
        return;
    }
    event_free(c->timer);
    mem_free(c);
}
