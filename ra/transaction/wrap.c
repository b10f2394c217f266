/* SPDX-License-Identifier: Apache-2.0 */
#include "ra/transaction/wrap.h"

#include <event2/event.h>
#include <stdlib.h>

#include "ra/queue/wrapper.h"
#include "ra/transaction/charge.h"
#include "ra/transaction/reply.h"

enum { PAUSE_MS = 200 /* before the signer is asked again */ };

struct wrapping {
    struct signer_job sign;
    struct ra *ra;
    struct job *job; /* NULL: it went on without it, and the signer has it still */
    struct buf part; /* what is signed */
    struct event *timer;
    int64_t until;
    bool asked; /* the timer is for the answer; else it is the pause */
};

static void
wrapping_free(struct wrapping *w)
{
    event_free(w->timer);
    buf_free(&w->part);
    buf_free(&w->sign.signature);
    mem_free(w);
}

static void
set_timer(struct wrapping *w, int64_t ms)
{
    const struct timeval in = {.tv_sec = (time_t)(ms / 1000),
                               .tv_usec = (suseconds_t)(ms % 1000 * 1000)};

    if (event_add(w->timer, &in) != 0) {
        abort(); /* out of memory */
    }
}

/* Where it goes without a signature. */
static enum message_stage
unsigned_way(const struct wrapping *w, struct job *job, const struct err *why)
{
    if (job->protection != CMP_PROTECTION_MAC) {
        charge_give_back(job);
        return reply_none(job, why);
    }
    return wrapper_unsigned(buf_span(&w->ra->seal_key), buf_span(&w->part), &job->nested,
                            &job->e) == 0
               ? STAGE_ADMIT
               : reply_refuse(job, CMP_SYSTEM_UNAVAIL, &job->e);
}

static enum message_stage
signed_way(const struct wrapping *w, struct job *job)
{
    const struct span certificate = buf_span(&w->ra->credentials.certificate_der);

    job->nested = BUF_INIT(CMP_NESTED_MAX);
    return cmp_build_finish(buf_span(&w->part), buf_span(&w->sign.signature), &certificate, 1,
                            &job->nested, &job->e) == 0
               ? STAGE_ADMIT
               : reply_refuse(job, CMP_SYSTEM_FAILURE, &job->e);
}

static void
go_on(struct wrapping *w, enum message_stage next)
{
    struct job *job = w->job;

    wrapping_free(w);
    message_go_on(job, next);
}

static void
on_signed(struct task *task)
{
    struct wrapping *w = CONTAINER_OF(task, struct wrapping, sign.task);

    w->asked = false;
    if (w->job == NULL) {
        w->ra->jobs--;
        wrapping_free(w);
        return;
    }
    (void)event_del(w->timer);
    if (w->sign.result == 0) {
        go_on(w, signed_way(w, w->job));
    } else if (w->job->protection != CMP_PROTECTION_MAC && clock_monotonic_ms() < w->until) {
        set_timer(w, PAUSE_MS);
    } else {
        go_on(w, unsigned_way(w, w->job, &w->sign.e));
    }
}

static void
ask_signer(struct wrapping *w)
{
    const int64_t left = w->until - clock_monotonic_ms();

    set_timer(w, left > 0 ? left : 1);
    buf_free(&w->sign.signature);
    w->asked = true;
    w->sign = (struct signer_job){
        .task.done = on_signed, .object = SIGNER_CMP, .tbs = buf_span(&w->part)};
    signer_submit(w->ra->signer, &w->sign);
}

/* A stop waits for what the signer has. */
static void
leave_behind(struct wrapping *w)
{
    struct job *job = w->job;

    w->job = NULL;
    w->ra->jobs++;
    (void)err_set(&job->e, ERR_TOKEN, "the signer does not answer");
    message_go_on(job, unsigned_way(w, job, &job->e));
}

static void
on_timer(evutil_socket_t fd, short what, void *arg)
{
    struct wrapping *w = arg;

    (void)fd;
    (void)what;
    if (w->asked) {
        leave_behind(w);
    } else {
        ask_signer(w);
    }
}

void
wrap_begin(struct job *job)
{
    struct wrapping *w = mem_new(sizeof(*w));

    w->ra = job->ra;
    w->job = job;
    buf_move(&w->part, &job->part);
    w->until = clock_monotonic_ms() + job->ra->settings->sync_wait;
    w->timer = evtimer_new(job->ra->base, on_timer, w);
    if (w->timer == NULL) {
        abort(); /* out of memory */
    }
    ask_signer(w);
}
