/* SPDX-License-Identifier: Apache-2.0 */
#include "ra/transaction/wait.h"

#include <event2/event.h>
#include <stdlib.h>

#include "base/log.h"
#include "ra/daemon/budget.h"
#include "ra/judge/mac.h"
#include "ra/queue/queue.h"
#include "ra/transaction/reply.h"

/* ---- a turn in the lane ---- */

static struct job *
job_of_turn(struct lane_turn *turn)
{
    return CONTAINER_OF(turn, struct job, turn);
}

static void
turn_derive(struct lane_turn *turn)
{
    judge_mac_derive(job_of_turn(turn));
}

static bool
turn_gone(struct lane_turn *turn)
{
    return http_exchange_is_dead(job_of_turn(turn)->exchange);
}

/* Who is known and who is not are told the same, and by HTTP alone when that becomes too dear. */
static enum message_stage
turned_away(struct job *job, int retry_after)
{
    job->retry_after = retry_after;
    if (budget_take(job->ra->of_refusals, (struct span){0}, clock_monotonic_ms()) != 0) {
        job->answer = ANSWER_NONE;
        return STAGE_REPLY;
    }
    (void)err_set(&job->e, ERR_BUSY, "too many wait for keys of as many iterations");
    return reply_refuse(job, CMP_SYSTEM_UNAVAIL, &job->e);
}

static void
turn_done(struct lane_turn *turn)
{
    struct job *job = job_of_turn(turn);

    if (turn->retry_after > 0) {
        message_go_on(job, turned_away(job, turn->retry_after));
    } else if (job->key == NULL && !turn->nobody) {
        message_go_on(job, reply_failure(job));
    } else {
        log_event(LOG_INFO, "turn", "%s from %s, %s: a key of %llu steps", cmp_body_name(job->body),
                  http_exchange_peer(job->exchange), job->identity,
                  (unsigned long long)turn->work.steps);
        job->had_turn = true;
        message_go_on(job, STAGE_JUDGE);
    }
}

void
wait_turn(struct job *job)
{
    int wait;

    /* Its places are the lane's now, which has limits of its own: strangers who wait there for keys
     * that cost much keep nobody else from beginning. */
    crowd_leave(job->ra->beginning, &job->place, false, clock_monotonic_ms());
    job->turn.derive = turn_derive;
    job->turn.gone = turn_gone;
    job->turn.done = turn_done;
    wait = lane_enter(job->ra->lane, &job->turn);
    if (wait > 0) {
        message_go_on(job, turned_away(job, wait));
    }
}

/* ---- the CA ---- */

/* There is as much room as there was. */
static void
copy_octets(const struct buf *from, struct buf *to)
{
    struct err e;

    *to = BUF_INIT(from->max);
    (void)buf_set(to, buf_span(from), &e);
}

static void
copy_enrolment(const struct requests_enrolment *from, struct requests_enrolment *to)
{
    requests_enrolment_clear(to);
    *to = *from;
    copy_octets(&from->nonce, &to->nonce);
    copy_octets(&from->nonce_before, &to->nonce_before);
    copy_octets(&from->certificate, &to->certificate);
    copy_octets(&from->asked, &to->asked);
    to->question = BUF_INIT(0); /* what the CA answers has none */
}

static void
on_answered(void *arg, const struct requests_enrolment *enrolment)
{
    struct job *job = arg;

    (void)event_del(job->timer);
    if (enrolment == NULL) {
        message_go_on(job, STAGE_BUILD); /* as it was admitted */
        return;
    }
    copy_enrolment(enrolment, &job->enrolment);
    message_go_on(job, reply_by_state(job));
}

/* The CA takes longer than a client should wait on a connection. */
static void
on_timer(evutil_socket_t fd, short what, void *arg)
{
    struct job *job = arg;

    (void)fd;
    (void)what;
    queue_forget(job->ra->queue, job->rid);
    message_go_on(job, STAGE_BUILD);
}

void
wait_for_ca(struct job *job)
{
    const int ms = job->ra->settings->sync_wait;
    const struct timeval wait = {.tv_sec = ms / 1000, .tv_usec = (suseconds_t)(ms % 1000) * 1000};
    const struct queue_item item = {.rid = job->rid,
                                    .sequence = job->sequence,
                                    .enrolment = job->enrolment.id,
                                    .message = cmp_msg_der(job->msg),
                                    .entry = buf_span(&job->entry),
                                    .head = job->head,
                                    .stands = job->body == CMP_CERTCONF,
                                    .confirm_wait =
                                        job->nonce_kept ? job->ra->settings->confirm_wait : 0};

    job->timer = evtimer_new(job->ra->base, on_timer, job);
    if (job->timer == NULL || event_add(job->timer, &wait) != 0) {
        abort(); /* out of memory */
    }
    queue_admitted(job->ra->queue, &item, on_answered, job);
}
