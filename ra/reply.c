/* SPDX-License-Identifier: Apache-2.0 */
#include "ra/reply.h"

#include "base/log.h"
#include "ra/http_answer.h"
#include "ra/mac_cache.h"
#include "ra/queue.h"

enum {
    POLL_UP_S = 1,   /* checkAfter: the CA answers in well under a second */
    POLL_DOWN_S = 5, /* and nobody knows when it comes back */
    GIVE_UP_S = 5,   /* Retry-After: nor when this works again */
};

/* The client comes back when its connection may have been closed for idling: few of them take that
 * well, so they are told now to make a new one. */
static bool
comes_back_late(const struct job *job)
{
    return job->answer == ANSWER_POLL && job->check_after >= HTTP_IDLE_TIMEOUT_MS / 1000 / 2;
}

static void
reply_and_free(struct job *job)
{
    if (job->retry_after > 0) { /* RFC 9811 3.2: such a status may carry a message */
        http_reply_busy(job->exchange, job->retry_after, "application/pkixcmp",
                        buf_span(&job->out));
    } else {
        http_reply_with(job->exchange, &(struct http_answer){.status = 200,
                                                             .content_type = "application/pkixcmp",
                                                             .body = buf_span(&job->out),
                                                             .close = comes_back_late(job)});
    }
    job_free(job);
}

/* ---- no answer ---- */

static void
say_busy(struct job *job)
{
    http_reply_busy(job->exchange, job->retry_after > 0 ? job->retry_after : GIVE_UP_S, NULL,
                    (struct span){0});
    job_free(job);
}

static int
forget_run(struct store_op *op, struct store_db *db, struct err *e)
{
    const struct job *job = CONTAINER_OF(op, struct job, op);

    return requests_forget(db, job->identity, cmp_msg_transaction_id(job->msg), e);
}

static void
forgotten(struct task *task)
{
    struct job *job = job_of_op(task);

    if (job->op.result != 0 && job->op.e.code == ERR_STORE) {
        ra_fail(job->ra, &job->op.e);
    }
    say_busy(job);
}

/* Nobody has seen anything of it, so that the same octets may come again (RFC 9483 3.5 is about
 * transactions, and this was none). */
static void
leave_unanswered(struct job *job)
{
    if (job->remembered) {
        job->remembered = false;
        job_on_store(job, forget_run, forgotten);
        return;
    }
    say_busy(job);
}

/* No answer can be made: HTTP alone says so. */
static void
give_up_bare(struct job *job, const struct err *why)
{
    log_err(LOG_ERROR, "no-answer", why, "answering %s", http_exchange_peer(job->exchange));
    leave_unanswered(job);
}

void
reply_unsigned(struct job *job, const struct err *why)
{
    if (why != NULL) {
        give_up_bare(job, why);
        return;
    }
    if (job->retry_after < OWN_CERTIFICATE_RETRY_S) {
        job->retry_after = OWN_CERTIFICATE_RETRY_S;
    }
    leave_unanswered(job);
}

bool
reply_is_verifiable(struct job *job)
{
    return job_is_mac(job) || own_certificate_look(job->ra) == OWN_CERTIFICATE_GOOD;
}

/* We do not have the answer: an error says so, once. The client may ask again. */
static void
give_up(struct job *job, const struct err *why)
{
    if (job->retry_after > 0 || job->msg == NULL || job->ra->failed) {
        give_up_bare(job, why);
        return;
    }
    log_err(LOG_ERROR, "no-answer", why, "answering %s", http_exchange_peer(job->exchange));
    job->retry_after = GIVE_UP_S;
    buf_free(&job->out);
    buf_free(&job->answer_part);
    job->failure = CMP_SYSTEM_FAILURE;
    job->told = NULL;
    job->in_body = false;
    reply_with(job, ANSWER_FAILURE);
}

/* What the store says no to, unexpectedly. Only ERR_STORE means that the file cannot be used. */
void
reply_store_failed(struct job *job)
{
    if (job->op.e.code == ERR_STORE) {
        ra_fail(job->ra, &job->op.e);
    }
    give_up(job, &job->op.e);
}

static int
sent_run(struct store_op *op, struct store_db *db, struct err *e)
{
    struct job *job = CONTAINER_OF(op, struct job, op);

    return requests_sent(db, job->enrolment.id, job->header.sender_nonce,
                         job->answer == ANSWER_ISSUED || job->answer == ANSWER_DONE ||
                             job->answer == ANSWER_SUPPORT,
                         job->now + job->ra->settings->confirm_wait, e);
}

static void
sent_done(struct task *task)
{
    struct job *job = job_of_op(task);

    if (job->op.result != 0) {
        reply_store_failed(job);
        return;
    }
    reply_and_free(job);
}

/* The octets are there. Inside a transaction the nonce that we send is what comes back. */
static void
answer_ready(struct job *job)
{
    if (job->found && job->authenticated && job->answer != ANSWER_FAILURE) {
        job_on_store(job, sent_run, sent_done);
        return;
    }
    reply_and_free(job);
}

static void
answer_signed(struct task *task)
{
    struct job *job = job_of_sign(task);

    if (job_is_back(job)) {
        return;
    }
    if (job->sign.result != 0) {
        give_up_bare(job, &job->sign.e); /* the signer takes no other one either */
        return;
    }
    if (answer_finish(job, buf_span(&job->sign.signature)) != 0) {
        give_up(job, &job->e);
        return;
    }
    answer_ready(job);
}

static void
build_run(struct task *task)
{
    struct job *job = job_of_task(task);

    if (answer_build(job) != 0) {
        job->out = (struct buf){0};
        buf_free(&job->answer_part);
    }
}

static void
build_done(struct task *task)
{
    struct job *job = job_of_task(task);

    if (job->answer_part.n > 0) {
        job_on_signer(job, buf_span(&job->answer_part), answer_signed);
    } else if (job->out.n > 0) {
        answer_ready(job);
    } else {
        give_up(job, &job->e);
    }
}

void
reply_with(struct job *job, enum answer_kind kind)
{
    if (!reply_is_verifiable(job)) {
        reply_unsigned(job, NULL);
        return;
    }
    job->answer = kind;
    job->now = clock_now();
    if (job->key != NULL && kind == ANSWER_CONFIRM) {
        mac_cache_drop(job->ra->mac_cache, job->registration.id,
                       cmp_mac_key_algorithm(job->key)); /* this was the last message */
    }
    job_on_worker(job, build_run, build_done);
}

void
reply_failure(struct job *job)
{
    log_err(LOG_INFO, "refused", &job->e, "%s from %s%s%s: %s",
            job->msg != NULL ? cmp_body_name(job->body) : "message",
            http_exchange_peer(job->exchange), job->identity[0] != '\0' ? ", " : "", job->identity,
            cmp_failure_name(job->failure));
    reply_with(job, ANSWER_FAILURE);
}

void
reply_fail(struct job *job, enum cmp_failure failure, const struct err *why)
{
    job->failure = failure;
    if (why != &job->e) {
        job->e = *why;
    }
    reply_failure(job);
}

/* What the first message asked for: a certificate, or that something is done. */
static enum answer_kind
delivery(struct job *job)
{
    if (job->enrolment.body == (int)CMP_GENM) {
        job->check_after = POLL_DOWN_S;
        if (!job->genm_waits) {
            return ANSWER_SUPPORT;
        }
        return job->body == CMP_POLLREQ ? ANSWER_POLL : ANSWER_WAITING;
    }
    return cmp_body_asks_certificate((enum cmp_body)job->enrolment.body) ? ANSWER_ISSUED
                                                                         : ANSWER_DONE;
}

/* The enrolment as it is now decides what the answer is. */
void
reply_by_state(struct job *job)
{
    const struct requests_enrolment *x = &job->enrolment;
    bool confirming =
        job->body == CMP_CERTCONF || (job->body == CMP_POLLREQ && job->poll_id != x->cert_req_id);

    switch (x->state) {
    case REQUESTS_QUEUED:
        /* People take their time, whether the CA is connected or not: what it said last. */
        job->check_after = x->check_after > 0            ? (uint32_t)x->check_after
                           : queue_is_up(job->ra->queue) ? POLL_UP_S
                                                         : POLL_DOWN_S;
        job->reason = x->check_after > 0 ? x->phrase : NULL;
        reply_with(job, job->body == CMP_POLLREQ ? ANSWER_POLL : ANSWER_WAITING);
        return;
    case REQUESTS_ANSWERED:
    case REQUESTS_SENT:
    case REQUESTS_UNCONFIRMED:
        reply_with(job, delivery(job));
        return;
    case REQUESTS_CONFIRMING: /* durable here, so the CA will hear of it */
    case REQUESTS_CONFIRMED:
        reply_with(job, confirming && !x->implicit ? ANSWER_CONFIRM : delivery(job));
        return;
    case REQUESTS_REJECTED:
        if (x->fail_info < 0) {
            reply_with(job, ANSWER_CONFIRM); /* the rejection was the client's own */
            return;
        }
        job->in_body = !confirming;
        job->told = x->phrase[0] != '\0' ? x->phrase : NULL;
        (void)err_set(&job->e, ERR_DENIED, "the CA says: %s", x->phrase);
        reply_fail(job, (enum cmp_failure)x->fail_info, &job->e);
        return;
    }
    (void)err_set(&job->e, ERR_STORE, "enrolment in state %d", (int)x->state);
    reply_fail(job, CMP_SYSTEM_FAILURE, &job->e);
}
