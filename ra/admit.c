/* SPDX-License-Identifier: Apache-2.0 */
#include "ra/admit.h"

#include <event2/event.h>
#include <stdlib.h>

#include "ra/budget.h"
#include "ra/judge_own.h"
#include "ra/judge_profile.h"
#include "ra/queue.h"
#include "ra/reply.h"
#include "ra/support.h"
#include "ra/wrapper.h"

enum {
    KEEP_S = 7 * 86400, /* an enrolment can be polled for so long */
    WRAP_PAUSE_MS = 200,
};

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

/* What a first message is about. */
static struct requests_admission
admission_of(const struct job *job)
{
    return (struct requests_admission){
        .identity = job->identity,
        .transaction_id = cmp_msg_transaction_id(job->msg),
        .registration = job->registration.id,
        .profile = job->profile,
        .body = (int)job->body,
        .cert_req_id = job->cert_req_id,
        .until = keep_until(job),
        .rid = span_of(job->rid, sizeof(job->rid)),
    };
}

/* ---- the same octets, once more ---- */

static void
in_use(struct job *job, const struct err *why)
{
    refund(job);
    job->in_body = false;
    reply_fail(job, CMP_TRANSACTION_ID_IN_USE, why);
}

static int
again_run(struct store_op *op, struct store_db *db, struct err *e)
{
    struct job *job = CONTAINER_OF(op, struct job, op);
    const struct requests_admission a = admission_of(job);

    return requests_enrolment_unanswered(
        db, &a, job->body == CMP_GENM ? cmp_msg_content(job->msg) : span_of(NULL, 0),
        &job->enrolment, &job->found, e);
}

/* Of a copy only who sends it was judged. */
static void
question_run(struct task *task)
{
    (void)support_poll(job_of_task(task)); /* and job->failure */
}

static void
question_done(struct task *task)
{
    struct job *job = job_of_task(task);

    if (job->failure != CMP_NO_FAILURE) {
        reply_failure(job);
    } else {
        reply_by_state(job);
    }
}

static void
again_done(struct task *task)
{
    struct job *job = job_of_op(task);

    if (job->op.result != 0) {
        reply_store_failed(job);
    } else if (job->found) {
        refund(job);
        if (job->body == CMP_GENM) {
            job_on_worker(job, question_run, question_done);
        } else {
            reply_by_state(job);
        }
    } else {
        (void)err_set(&job->e, ERR_CONFLICT, "this transactionID was used before");
        in_use(job, &job->e);
    }
}

/* A transactionID that is in use: by the same request, when nobody has got an answer to it because
 * we could not sign one. Its sender goes on; once an answer has left, it is somebody's copy. */
static void
used_before(struct job *job)
{
    if (job->protection == CMP_PROTECTION_SIGNATURE) {
        job_on_store(job, again_run, again_done);
    } else {
        (void)err_set(&job->e, ERR_CONFLICT, "this transactionID was used before");
        in_use(job, &job->e);
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
        in_use(job, &job->op.e);
    } else if (job->op.result != 0) {
        reply_store_failed(job);
    } else {
        job->remembered = true;
        reply_failure(job);
    }
}

/* A genm is answered here. One that must wait for a CRL is kept for its polls; for any other its
 * transactionID is all that is. */
static int
ask_run(struct store_op *op, struct store_db *db, struct err *e)
{
    struct job *job = CONTAINER_OF(op, struct job, op);

    const struct requests_admission a = admission_of(job);

    return requests_ask(db, &a, cmp_msg_content(job->msg), &job->enrolment.id, e);
}

static void
asked(struct task *task)
{
    struct job *job = job_of_op(task);

    if (job->op.result != 0 && job->op.e.code == ERR_CONFLICT) {
        used_before(job);
        return;
    }
    if (job->op.result != 0) {
        reply_store_failed(job);
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
    job->remembered = true;
    reply_with(job, ANSWER_SUPPORT);
}

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
    copy_enrolment(enrolment, &job->enrolment);
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

static void
start_timer(struct job *job, event_callback_fn callback, int ms)
{
    const struct timeval wait = {.tv_sec = ms / 1000, .tv_usec = (suseconds_t)(ms % 1000) * 1000};

    if (job->timer != NULL) {
        event_free(job->timer);
    }
    job->timer = evtimer_new(job->ra->base, callback, job);
    if (job->timer == NULL || event_add(job->timer, &wait) != 0) {
        abort(); /* out of memory */
    }
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
    struct requests_admission a = admission_of(job);

    if (job->body == CMP_CERTCONF) {
        return requests_admit_confirmation(db, job->enrolment.id, job->certconf.accepted, a.rid,
                                           buf_span(&job->nested), &job->entry, e);
    }
    a.implicit = is_implicit(job);
    a.uncounted = job->uncounted;
    a.target = span_of(job->revreq.serial, job->revreq.serial_size);
    a.asked = buf_span(&job->asked);
    a.nested = buf_span(&job->nested);
    return requests_admit(db, &a, &job->enrolment.id, &job->entry, e);
}

static void
admit_failed(struct job *job)
{
    if (job->op.e.code == ERR_CONFLICT && job->body == CMP_CERTCONF) {
        job->in_body = false;
        reply_fail(job, CMP_CERT_CONFIRMED, &job->op.e);
    } else if (job->op.e.code == ERR_CONFLICT) {
        used_before(job);
    } else if (job->op.e.code == ERR_DENIED) {
        job->e = job->op.e;
        (void)job_say(job, PHRASE_USED_UP);
        job_on_store(job, remember_run, remember_done); /* what admit wrote was rolled back */
    } else {
        reply_store_failed(job);
    }
}

static void
admit_done(struct task *task)
{
    struct job *job = job_of_op(task);

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
    start_timer(job, on_timer, job->ra->settings->sync_wait);
    queue_admitted(job->ra->queue, &job->entry, buf_span(&job->nested), on_answered, job);
}

/* ---- to the CA ---- */

static void ask_signer(struct job *job);

static void
admit_unsigned(struct job *job)
{
    if (wrapper_unsigned(buf_span(&job->ra->seal_key), buf_span(&job->part), &job->nested,
                         &job->e) != 0) {
        reply_fail(job, CMP_SYSTEM_UNAVAIL, &job->e);
        return;
    }
    job_on_store(job, admit_run, admit_done);
}

/* The signer is away, or takes too long. What has a MAC is kept as it is, and answered: it is
 * signed when somebody can. What is signed cannot be answered either, and leaves nothing behind. */
static void
give_wrapping_up(struct job *job, const struct err *why)
{
    if (job->protection == CMP_PROTECTION_MAC) {
        admit_unsigned(job);
        return;
    }
    refund(job);
    reply_unsigned(job, why);
}

static void
on_wrap_late(evutil_socket_t fd, short what, void *arg)
{
    struct job *job = arg;

    (void)fd;
    (void)what;
    job->wrap_late = true;
    (void)err_set(&job->e, ERR_TOKEN, "the signer does not answer");
    give_wrapping_up(job, &job->e);
}

static void
on_wrap_again(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    ask_signer(arg);
}

static void
wrap_signed(struct task *task)
{
    struct job *job = job_of_sign(task);
    struct span certificate = buf_span(&job->ra->credentials.certificate_der);

    if (job_is_back(job) || job->wrap_late) {
        return; /* answered without it, or about to be */
    }
    (void)event_del(job->timer);
    if (job->sign.result != 0) {
        if (job->protection != CMP_PROTECTION_MAC && clock_monotonic_ms() < job->wrap_until) {
            start_timer(job, on_wrap_again, WRAP_PAUSE_MS);
        } else {
            give_wrapping_up(job, &job->sign.e);
        }
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

static void
ask_signer(struct job *job)
{
    const int64_t left = job->wrap_until - clock_monotonic_ms();

    start_timer(job, on_wrap_late, left > 0 ? (int)left : 1);
    job_on_signer(job, buf_span(&job->part), wrap_signed);
}

void
admit_repeated(struct job *job)
{
    used_before(job);
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
    job->wrap_until = clock_monotonic_ms() + job->ra->settings->sync_wait;
    ask_signer(job);
}
