/* SPDX-License-Identifier: Apache-2.0 */
#include "ra/admit.h"

#include <event2/event.h>
#include <stdlib.h>

#include "ra/budget.h"
#include "ra/judge_own.h"
#include "ra/judge_profile.h"
#include "ra/queue.h"
#include "ra/reply.h"

enum { KEEP_S = 7 * 86400 /* an enrolment can be polled for so long */ };

/* How long this transactionID must be remembered: as long as the same octets would be fresh
 * (RFC 9483 3.5), and without messageTime as long as the credential lives. */
static int64_t
keep_until(const struct job *job)
{
    int64_t until = job->now + KEEP_S + 2 * (int64_t)job->ra->settings->message_time_window;
    time_t own = judge_own_until(job);
    time_t message_time;

    if (cmp_msg_time(job->msg, &message_time)) {
        return until;
    }
    until = job->registration.not_after > until ? job->registration.not_after : until;
    return own > until ? own : until;
}

/* A replay was sent by anybody: the one whose message it was does not pay for it. */
static void
refund(struct job *job)
{
    if (job->charged) {
        budget_give_back(job->ra->by_registration, span_str(job->registration.id));
        job->charged = false;
    }
}

static int
remember_run(struct store_op *op, struct store_db *db, struct err *e)
{
    struct job *job = CONTAINER_OF(op, struct job, op);

    return requests_remember(db, job->identity, cmp_msg_transaction_id(job->msg), keep_until(job),
                             e);
}

static void
remember_done(struct task *task)
{
    struct job *job = job_of_op(task);

    if (job->op.result != 0 && job->op.e.code == ERR_CONFLICT) {
        refund(job);
        job->in_body = false;
        reply_fail(job, CMP_TRANSACTION_ID_IN_USE, &job->op.e);
    } else if (job->op.result != 0) {
        reply_store_failed(job);
    } else {
        reply_failure(job);
    }
}

/* A genm is answered here. One that must wait for a CRL is kept for its polls; for any other its
 * transactionID is all that is. */
static int
ask_run(struct store_op *op, struct store_db *db, struct err *e)
{
    struct job *job = CONTAINER_OF(op, struct job, op);

    return requests_ask(db,
                        &(struct requests_admission){
                            .identity = job->identity,
                            .transaction_id = cmp_msg_transaction_id(job->msg),
                            .registration = job->registration.id,
                            .profile = job->profile,
                            .body = (int)job->body,
                            .cert_req_id = job->cert_req_id,
                            .until = keep_until(job),
                        },
                        cmp_msg_content(job->msg), &job->enrolment.id, e);
}

static void
asked(struct task *task)
{
    struct job *job = job_of_op(task);

    if (job->op.result != 0) {
        remember_done(task);
        return;
    }
    job->found = true;
    job->enrolment.body = (int)job->body;
    job->enrolment.cert_req_id = job->cert_req_id;
    reply_with(job, ANSWER_WAITING);
}

static void
support_remembered(struct task *task)
{
    struct job *job = job_of_op(task);

    if (job->op.result != 0) {
        remember_done(task);
        return;
    }
    reply_with(job, ANSWER_SUPPORT);
}

static int
copy_enrolment(const struct requests_enrolment *from, struct requests_enrolment *to, struct err *e)
{
    requests_enrolment_clear(to);
    *to = *from;
    to->nonce = BUF_INIT(from->nonce.max);
    to->nonce_before = BUF_INIT(from->nonce_before.max);
    to->certificate = BUF_INIT(from->certificate.max);
    to->asked = BUF_INIT(from->asked.max);
    to->question = BUF_INIT(0); /* what the CA answers has none */
    if (buf_set(&to->nonce, buf_span(&from->nonce), e) != 0 ||
        buf_set(&to->nonce_before, buf_span(&from->nonce_before), e) != 0 ||
        buf_set(&to->asked, buf_span(&from->asked), e) != 0) {
        return -1;
    }
    return buf_set(&to->certificate, buf_span(&from->certificate), e);
}

static void
on_answered(void *arg, const struct requests_enrolment *enrolment)
{
    struct job *job = arg;

    (void)event_del(job->timer);
    if (copy_enrolment(enrolment, &job->enrolment, &job->e) != 0) {
        reply_fail(job, CMP_SYSTEM_FAILURE, &job->e);
        return;
    }
    reply_by_state(job);
}

/* The CA takes longer than a client should wait on a connection. A certConf is durable in the queue
 * by now, which is all that pkiConf says; few clients could poll for it. */
static void
on_timer(evutil_socket_t fd, short what, void *arg)
{
    struct job *job = arg;

    (void)fd;
    (void)what;
    queue_forget(job->ra->queue, job->rid);
    reply_with(job, job->body == CMP_CERTCONF ? ANSWER_CONFIRM : ANSWER_WAITING);
}

/* Nobody confirms the answer: asked for and granted, or there is nothing to confirm. What a kur
 * updates is superseded by its certConf and by nothing else (RFC 9483 4.1.3). */
static bool
is_implicit(const struct job *job)
{
    return !cmp_body_asks_certificate(job->body) ||
           (cmp_msg_implicit_confirm(job->msg) && job->ra->settings->implicit_confirm &&
            job->body != CMP_KUR && !job->superseding && judge_profile_is_implicit(job));
}

static int
admit_run(struct store_op *op, struct store_db *db, struct err *e)
{
    struct job *job = CONTAINER_OF(op, struct job, op);
    struct span rid = span_of(job->rid, sizeof(job->rid));

    if (job->body == CMP_CERTCONF) {
        return requests_admit_confirmation(db, job->enrolment.id, job->certconf.accepted, rid,
                                           buf_span(&job->nested), &job->entry, e);
    }
    return requests_admit(db,
                          &(struct requests_admission){
                              .identity = job->identity,
                              .transaction_id = cmp_msg_transaction_id(job->msg),
                              .registration = job->registration.id,
                              .profile = job->profile,
                              .body = (int)job->body,
                              .cert_req_id = job->cert_req_id,
                              .implicit = is_implicit(job),
                              .uncounted = job->uncounted,
                              .target = span_of(job->revreq.serial, job->revreq.serial_size),
                              .asked = buf_span(&job->asked),
                              .until = keep_until(job),
                              .rid = rid,
                              .nested = buf_span(&job->nested),
                          },
                          &job->enrolment.id, &job->entry, e);
}

static void
admit_failed(struct job *job)
{
    if (job->op.e.code == ERR_CONFLICT) {
        refund(job);
        job->in_body = false;
        reply_fail(job, job->body == CMP_CERTCONF ? CMP_CERT_CONFIRMED : CMP_TRANSACTION_ID_IN_USE,
                   &job->op.e);
    } else if (job->op.e.code == ERR_DENIED) {
        job->failure = CMP_NOT_AUTHORIZED;
        job->e = job->op.e;
        job_on_store(job, remember_run, remember_done); /* what admit wrote was rolled back */
    } else {
        reply_store_failed(job);
    }
}

static void
admit_done(struct task *task)
{
    struct job *job = job_of_op(task);
    int ms = job->ra->settings->sync_wait;
    struct timeval wait = {.tv_sec = ms / 1000, .tv_usec = (suseconds_t)(ms % 1000) * 1000};

    if (job->op.result != 0) {
        admit_failed(job);
        return;
    }
    if (job->body != CMP_CERTCONF) {
        job->found = true;
        job->enrolment.body = (int)job->body;
        job->enrolment.cert_req_id = job->cert_req_id;
        job->enrolment.state = REQUESTS_QUEUED;
    }
    job->timer = evtimer_new(job->ra->base, on_timer, job);
    if (job->timer == NULL || event_add(job->timer, &wait) != 0) {
        abort(); /* out of memory */
    }
    queue_admitted(job->ra->queue, &job->entry, buf_span(&job->nested), on_answered, job);
}

static void
wrap_signed(struct task *task)
{
    struct job *job = job_of_sign(task);
    struct span certificate = buf_span(&job->ra->credentials.certificate_der);

    if (job->sign.result != 0) {
        job->in_body = false;
        reply_fail(job, CMP_SYSTEM_UNAVAIL, &job->sign.e);
        return;
    }
    job->nested = BUF_INIT(CMP_NESTED_MAX);
    if (cmp_build_finish(buf_span(&job->part), buf_span(&job->sign.signature), &certificate, 1,
                         &job->nested, &job->e) != 0) {
        reply_fail(job, CMP_SYSTEM_FAILURE, &job->e);
        return;
    }
    job_on_store(job, admit_run, admit_done);
}

void
admit_refused(struct job *job)
{
    job_on_store(job, remember_run, remember_done);
}

void
admit_answerable(struct job *job)
{
    job_on_store(job, remember_run, support_remembered);
}

void
admit_question(struct job *job)
{
    job_on_store(job, ask_run, asked);
}

void
admit_for_ca(struct job *job)
{
    job_on_signer(job, buf_span(&job->part), wrap_signed);
}
