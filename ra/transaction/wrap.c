/* SPDX-License-Identifier: Apache-2.0 */
#include "ra/transaction/wrap.h"

#include <event2/event.h>
#include <stdlib.h>

#include "ra/queue/heads.h"
#include "ra/queue/queue.h"
#include "ra/transaction/charge.h"
#include "ra/transaction/crew.h"
#include "ra/transaction/reply.h"

enum { PAUSE_MS = 200 /* before the signer is asked again */ };

/* Those that are under one head. */
struct wrapping {
    struct head_waiter waiter;
    struct ra *ra;
    struct head *head;
    struct batch jobs;
    struct event *timer;
    int64_t until;
    bool asked;         /* the timer is for the answer; else it is the pause */
    struct err refused; /* it is not asked again: who comes again and again is no faster for that */
};

static void
wrapping_free(struct wrapping *w)
{
    event_free(w->timer);
    head_release(w->ra->heads, w->head);
    mem_free(w);
}

static void
set_timer(struct wrapping *w, int64_t ms)
{
    const int64_t at = ms > 0 ? ms : 1;
    const struct timeval in = {.tv_sec = (time_t)(at / 1000),
                               .tv_usec = (suseconds_t)(at % 1000 * 1000)};

    if (event_add(w->timer, &in) != 0) {
        abort(); /* out of memory */
    }
}

/* Where it goes without a signature. */
static enum message_stage
unsigned_way(struct job *job, const struct err *why)
{
    if (job->protection == CMP_PROTECTION_MAC) {
        return STAGE_BUILD;
    }
    if (cmp_body_asks_certificate(job->body) && queue_withdraw(job->ra->queue, job->rid)) {
        job->withdrawn = true;
        charge_give_back(job);
    }
    return reply_none(job, why);
}

/* `why` NULL: it is signed. Those with a MAC alone, or all. */
static void
go_on(struct wrapping *w, const struct err *why, bool all)
{
    struct batch going = {0};
    struct batch staying = {0};
    struct job *job;

    while ((job = job_of_step(batch_take(&w->jobs))) != NULL) {
        if (all || job->protection == CMP_PROTECTION_MAC) {
            job->step.stage = why == NULL ? STAGE_QUEUE : unsigned_way(job, why);
            batch_add(&going, &job->step);
        } else {
            batch_add(&staying, &job->step);
        }
    }
    w->jobs = staying;
    if (why != NULL) {
        queue_left(w->ra->queue, why);
    }
    pipeline_return(w->ra->messages, &going);
}

static void
end(struct wrapping *w, const struct err *why)
{
    go_on(w, why, true);
    wrapping_free(w);
}

static void
on_signed(struct head_waiter *waiter, const struct err *why)
{
    struct wrapping *w = CONTAINER_OF(waiter, struct wrapping, waiter);

    w->asked = false;
    (void)event_del(w->timer);
    if (why == NULL || clock_monotonic_ms() >= w->until) {
        end(w, why);
        return;
    }
    go_on(w, why, false);
    if (w->jobs.n == 0) {
        wrapping_free(w);
    } else if (why->code == ERR_DENIED) {
        w->refused = *why;
        set_timer(w, w->until - clock_monotonic_ms());
    } else {
        set_timer(w, PAUSE_MS);
    }
}

static void
ask(struct wrapping *w)
{
    struct err e;

    if (head_is_signed(w->head)) {
        end(w, NULL);
    } else if (heads_ask(w->ra->heads, w->head, &w->waiter, &e) != 0) {
        end(w, &e);
    } else {
        w->asked = true;
        set_timer(w, w->until - clock_monotonic_ms());
    }
}

static void
on_timer(evutil_socket_t fd, short what, void *arg)
{
    struct wrapping *w = arg;
    struct err late = {0};

    (void)fd;
    (void)what;
    if (w->refused.code != ERR_NONE) {
        late = w->refused;
        end(w, &late);
        return;
    }
    if (!w->asked) {
        ask(w);
        return;
    }
    heads_forget(w->head, &w->waiter);
    (void)err_set(&late, ERR_TOKEN, "the signer does not answer");
    end(w, &late);
}

static struct wrapping *
wrapping_new(struct job *job)
{
    struct wrapping *w = mem_new(sizeof(*w));

    w->waiter.done = on_signed;
    w->ra = job->ra;
    w->head = head_use(job->head);
    w->until = clock_monotonic_ms() + job->ra->settings->sync_wait;
    w->timer = evtimer_new(job->ra->base, on_timer, w);
    if (w->timer == NULL) {
        abort(); /* out of memory */
    }
    return w;
}

/* What was admitted together comes together. */
void
wrap_begin(struct batch *batch)
{
    struct wrapping *w = NULL;
    struct job *job;

    while ((job = job_of_step(batch_take(batch))) != NULL) {
        job->head = heads_know(job->ra->heads, job->head);
        if (w != NULL && w->head != job->head) {
            ask(w);
            w = NULL;
        }
        if (w == NULL) {
            w = wrapping_new(job);
        }
        batch_add(&w->jobs, &job->step);
    }
    if (w != NULL) {
        ask(w);
    }
}
