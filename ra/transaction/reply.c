/* SPDX-License-Identifier: Apache-2.0 */
#include "ra/transaction/reply.h"

#include "base/http/message/answer.h"
#include "base/log.h"
#include "ra/judge/message/support.h"
#include "ra/queue/queue.h"
#include "ra/secret/mac_cache.h"

enum {
    POLL_UP_S = 1,   /* checkAfter: the CA answers in well under a second */
    POLL_DOWN_S = 5, /* and nobody knows when it comes back */
    GIVE_UP_S = 5,   /* Retry-After: nor when this works again */
    COPY_S = 3600,   /* a copy of what is withdrawn is over by then */
};

/* ---- what is answered ---- */

enum message_stage
reply_failure(struct job *job)
{
    job->answer = ANSWER_FAILURE;
    return STAGE_BUILD;
}

enum message_stage
reply_refuse(struct job *job, enum cmp_failure failure, const struct err *why)
{
    job->failure = failure;
    if (why != &job->e) {
        job->e = *why;
    }
    return reply_failure(job);
}

enum message_stage
reply_by_state(struct job *job)
{
    job->answer = ANSWER_STATE;
    return STAGE_BUILD;
}

/* ---- no answer ---- */

bool
reply_is_verifiable(struct job *job)
{
    return job_is_mac(job) || own_certificate_look(job->ra) == OWN_CERTIFICATE_GOOD;
}

/* Nobody has seen anything of it, so that the same octets may come again (RFC 9483 3.5 is about
 * transactions, and this was none). */
static enum message_stage
leave_unanswered(struct job *job)
{
    job->answer = ANSWER_NONE;
    return job->remembered || job->withdrawn ? STAGE_FORGET : STAGE_REPLY;
}

enum message_stage
reply_none(struct job *job, const struct err *why)
{
    if (why != NULL) {
        log_err(LOG_ERROR, "no-answer", why, "answering %s", http_exchange_peer(job->exchange));
    } else if (job->retry_after < OWN_CERTIFICATE_RETRY_S) {
        job->retry_after = OWN_CERTIFICATE_RETRY_S;
    }
    return leave_unanswered(job);
}

enum message_stage
reply_excuse(struct job *job, const struct err *why)
{
    if (job->retry_after > 0 || job->msg == NULL || job->ra->failed) {
        return reply_none(job, why);
    }
    log_err(LOG_ERROR, "no-answer", why, "answering %s", http_exchange_peer(job->exchange));
    job->retry_after = GIVE_UP_S;
    buf_free(&job->out);
    buf_free(&job->answer_part);
    job->failure = CMP_SYSTEM_FAILURE;
    job->told = NULL;
    job->in_body = false;
    job->answer = ANSWER_EXCUSE;
    return job->step.stage < STAGE_BUILD ? STAGE_BUILD : STAGE_EXCUSE;
}

int
reply_forget(struct job *job, struct store_db *db, struct err *e)
{
    job->step.stage = STAGE_REPLY;
    return job->withdrawn
               ? requests_withdraw(db, span_of(job->rid, sizeof(job->rid)), job->now + COPY_S, e)
               : requests_forget(db, job->identity, cmp_msg_transaction_id(job->msg), e);
}

/* ---- the enrolment as it is now decides what the answer is ---- */

/* What the first message asked for: a certificate, or that something is done. */
static enum answer_kind
delivery(struct job *job)
{
    if (job->enrolment.body == (int)CMP_GENM) {
        job->check_after = POLL_DOWN_S;
        if (job->body == CMP_GENM) {
            return ANSWER_STATE; /* of a copy only who sends it was judged: choose_question() */
        }
        return job->facts.question.waits ? ANSWER_POLL : ANSWER_SUPPORT;
    }
    return cmp_body_asks_certificate((enum cmp_body)job->enrolment.body) ? ANSWER_ISSUED
                                                                         : ANSWER_DONE;
}

static void
waits_still(struct job *job)
{
    const struct requests_enrolment *x = &job->enrolment;

    /* People take their time, whether the CA is connected or not: what it said last. */
    job->check_after = x->check_after > 0            ? (uint32_t)x->check_after
                       : queue_is_up(job->ra->queue) ? POLL_UP_S
                                                     : POLL_DOWN_S;
    job->reason = x->check_after > 0 ? x->phrase : NULL;
    job->answer = job->body == CMP_POLLREQ ? ANSWER_POLL : ANSWER_WAITING;
}

static void
was_rejected(struct job *job, bool confirming)
{
    const struct requests_enrolment *x = &job->enrolment;

    if (x->fail_info < 0) {
        job->answer = ANSWER_CONFIRM; /* the rejection was the client's own */
        return;
    }
    job->in_body = !confirming;
    job->told = x->phrase[0] != '\0' ? x->phrase : NULL;
    (void)err_set(&job->e, ERR_DENIED, "the CA says: %s", x->phrase);
    (void)reply_refuse(job, (enum cmp_failure)x->fail_info, &job->e);
}

static void
choose(struct job *job)
{
    const struct requests_enrolment *x = &job->enrolment;
    const bool confirming =
        job->body == CMP_CERTCONF ||
        (job->body == CMP_POLLREQ && job->facts.question.poll_id != x->cert_req_id);

    switch (x->state) {
    case REQUESTS_QUEUED:
        waits_still(job);
        return;
    case REQUESTS_ANSWERED:
    case REQUESTS_SENT:
    case REQUESTS_UNCONFIRMED:
        job->answer = delivery(job);
        return;
    case REQUESTS_CONFIRMING: /* durable here, so the CA will hear of it */
    case REQUESTS_CONFIRMED:
        job->answer = confirming && !x->implicit ? ANSWER_CONFIRM : delivery(job);
        return;
    case REQUESTS_REJECTED:
        was_rejected(job, confirming);
        return;
    }
    (void)err_set(&job->e, ERR_STORE, "enrolment in state %d", (int)x->state);
    (void)reply_refuse(job, CMP_SYSTEM_FAILURE, &job->e);
}

/* ---- the answer is made ---- */

static void
say_refused(const struct job *job)
{
    log_err(LOG_INFO, "refused", &job->e, "%s from %s%s%s: %s",
            job->msg != NULL ? cmp_body_name(job->body) : "message",
            http_exchange_peer(job->exchange), job->identity[0] != '\0' ? ", " : "", job->identity,
            cmp_failure_name(job->failure));
}

enum message_stage
reply_begin(struct job *job)
{
    if (job->answer == ANSWER_STATE) {
        choose(job);
    }
    if (job->answer == ANSWER_FAILURE) {
        say_refused(job);
    }
    if (!reply_is_verifiable(job)) {
        return reply_none(job, NULL);
    }
    job->now = clock_now();
    if (job->key != NULL && job->answer == ANSWER_CONFIRM) {
        mac_cache_drop(job->ra->mac_cache, job->registration.id,
                       cmp_mac_key_algorithm(job->key)); /* this was the last message */
    }
    return job->step.stage;
}

static void
choose_question(struct job *job)
{
    if (support_poll(job) == 0) {
        job->answer = job->facts.question.waits ? ANSWER_WAITING : ANSWER_SUPPORT;
    } else {
        (void)reply_failure(job);
        say_refused(job);
    }
}

void
reply_build(struct job *job)
{
    if (job->answer == ANSWER_STATE) {
        choose_question(job);
    }
    if (answer_build(job) != 0) {
        buf_free(&job->out);
        buf_free(&job->answer_part);
    }
}

static bool
delivers(const struct job *job)
{
    return job->answer == ANSWER_ISSUED || job->answer == ANSWER_DONE ||
           job->answer == ANSWER_SUPPORT;
}

/* The octets are there. Inside a transaction the nonce that we send is what comes back. */
static enum message_stage
ready(const struct job *job)
{
    const bool keeps_nonce = job->found && job->authenticated && job->answer != ANSWER_FAILURE &&
                             job->answer != ANSWER_EXCUSE;

    const bool is_kept =
        job->nonce_kept && !(delivers(job) && job->enrolment.state == REQUESTS_ANSWERED);

    return keeps_nonce && !is_kept ? STAGE_SENT : STAGE_REPLY;
}

enum message_stage
reply_built(struct job *job)
{
    if (job->answer_part.n > 0) {
        return job->step.stage + 1; /* PROTECT, PROTECT_EXCUSE */
    }
    return job->out.n > 0 ? ready(job) : reply_excuse(job, &job->e);
}

enum message_stage
reply_signed(struct job *job)
{
    if (job->sign.result != 0) {
        return reply_none(job, &job->sign.e); /* the signer takes no other one either */
    }
    return answer_finish(job, buf_span(&job->sign.signature)) == 0 ? ready(job)
                                                                   : reply_excuse(job, &job->e);
}

int
reply_sent(struct job *job, struct store_db *db, struct err *e)
{
    job->step.stage = STAGE_REPLY;
    return requests_sent(db, job->enrolment.id, job->header.sender_nonce, delivers(job),
                         job->now + job->ra->settings->confirm_wait, e);
}

/* ---- and leaves ---- */

/* The client comes back when its connection may have been closed for idling: few of them take that
 * well, so they are told now to make a new one. */
static bool
comes_back_late(const struct job *job)
{
    return job->answer == ANSWER_POLL && job->check_after >= HTTP_IDLE_TIMEOUT_MS / 1000 / 2;
}

void
reply_send(const struct job *job)
{
    if (job->answer == ANSWER_NONE) {
        http_reply_busy(job->exchange, job->retry_after > 0 ? job->retry_after : GIVE_UP_S, NULL,
                        (struct span){0});
    } else if (job->retry_after > 0) { /* RFC 9811 3.2: such a status may carry a message */
        http_reply_busy(job->exchange, job->retry_after, "application/pkixcmp",
                        buf_span(&job->out));
    } else {
        http_reply_with(job->exchange, &(struct http_answer){.status = 200,
                                                             .content_type = "application/pkixcmp",
                                                             .body = buf_span(&job->out),
                                                             .close = comes_back_late(job)});
    }
}
