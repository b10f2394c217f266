/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The way of one message. Each arrow is a hand-over between threads; the loop decides at each stop.
 *
 *          worker          store            worker               signer       store
 *   begin ---------> form ---------> known ---------> requester -------> wrap --------> admitted
 *                     |                               |     |                             |
 *                     |                               |     |                    link, wait for the
 * CA |   failure                     |     | pollReq             | answer    | sync_wait over v v
 * v                     v           v
 *                     +---------> remember <----------+   state                 issued     waiting
 *                     |   (first message, authenticated)     |                     |           |
 *                     v               v                      v                     v           v
 *                  answer: built by a worker, signed by the signer (or MAC) -> sent: store -> HTTP
 *
 * What is durable before what: the replay entry, the enrolment and the queue row before anything
 * goes to the CA; the CA's answer before anybody hears of it; our senderNonce before the answer
 * that carries it. So a kill at any point loses an HTTP answer at most, and a poll gets it again.
 * A certConf goes the same way; its pkiConf needs the queue row only and waits for the CA no longer
 * than sync_wait.
 * Nothing is written before the message is authenticated.
 * An enrolment's own states are in db/requests.h.
 */
#include "ra/transaction.h"

#include <event2/event.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/ossl.h"
#include "ra/budget.h"
#include "ra/job.h"
#include "ra/judge_own.h"
#include "ra/judge_profile.h"
#include "ra/judge_revoke.h"
#include "ra/mac_cache.h"
#include "ra/queue.h"

enum {
    KEEP_S = 7 * 86400, /* an enrolment can be polled for so long */
    POLL_UP_S = 1,      /* checkAfter: the CA answers in well under a second */
    POLL_DOWN_S = 5,    /* and nobody knows when it comes back */
    GIVE_UP_S = 5,      /* Retry-After: nor when this works again */
    REFUSALS_MAX = 64,  /* at once; more are refused by HTTP alone */
};

static struct job *
job_new(struct ra *ra, struct http_exchange *exchange, const struct route *route)
{
    struct job *job = mem_zalloc(1, sizeof(*job));

    ra->jobs++;
    job->ra = ra;
    job->exchange = exchange;
    job->route = *route;
    job->now = clock_now();
    job->failure = CMP_NO_FAILURE;
    return job;
}

static void
job_free(struct job *job)
{
    job->ra->jobs--;
    job->ra->refusals -= job->refusal;
    if (job->timer != NULL) {
        event_free(job->timer);
    }
    cmp_msg_free(job->msg);
    cmp_msg_free(job->outer);
    mem_free(job->upstream);
    X509_free(job->signer);
    mem_free(job->signer_issuer);
    mem_free(job->signer_subject);
    requests_registration_clear(&job->registration);
    requests_enrolment_clear(&job->enrolment);
    cmp_mac_key_free(job->key);
    cmp_certreq_free(job->certreq);
    buf_free(&job->part);
    buf_free(&job->asked);
    buf_free(&job->nested);
    buf_free(&job->answer_part);
    buf_free(&job->out);
    buf_free(&job->sign.signature);
    mem_free(job);
}

static struct job *
job_of_task(struct task *task)
{
    return CONTAINER_OF(task, struct job, task);
}

static void
on_worker(struct job *job, void (*run)(struct task *), void (*done)(struct task *))
{
    job->task = (struct task){.run = run, .done = done};
    pool_submit(job->ra->pool, &job->task);
}

static void
on_store(struct job *job, int (*run)(struct store_op *, struct store_db *, struct err *),
         void (*done)(struct task *))
{
    job->op = (struct store_op){.task.done = done, .run = run};
    store_submit(job->ra->store, &job->op);
}

static void
on_signer(struct job *job, struct span part, void (*done)(struct task *))
{
    buf_free(&job->sign.signature);
    job->sign = (struct signer_job){.task.done = done, .object = SIGNER_CMP, .tbs = part};
    signer_submit(job->ra->signer, &job->sign);
}

static struct job *
job_of_op(struct task *task)
{
    return CONTAINER_OF(task, struct job, op.task);
}

static struct job *
job_of_sign(struct task *task)
{
    return CONTAINER_OF(task, struct job, sign.task);
}

/* ---- the answer ---- */

static void answer(struct job *job, enum answer_kind kind);

static void
reply_and_free(struct job *job)
{
    if (job->retry_after > 0) { /* RFC 9811 3.2: such a status may carry a message */
        http_reply_busy(job->exchange, job->retry_after, "application/pkixcmp",
                        buf_span(&job->out));
    } else {
        http_reply(job->exchange, 200, "application/pkixcmp", buf_span(&job->out));
    }
    job_free(job);
}

/* No answer can be made: HTTP alone says so. */
static void
give_up_bare(struct job *job, const struct err *why)
{
    log_err(LOG_ERROR, "no-answer", why, "answering %s", http_exchange_peer(job->exchange));
    http_reply_busy(job->exchange, job->retry_after > 0 ? job->retry_after : GIVE_UP_S, NULL,
                    (struct span){0});
    job_free(job);
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
    job->in_body = false;
    answer(job, ANSWER_FAILURE);
}

/* What the store says no to, unexpectedly. Only ERR_STORE means that the file cannot be used. */
static void
give_up_on_store(struct job *job)
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
        give_up_on_store(job);
        return;
    }
    reply_and_free(job);
}

/* The octets are there. Inside a transaction the nonce that we send is what comes back. */
static void
answer_ready(struct job *job)
{
    if (job->found && job->authenticated && job->answer != ANSWER_FAILURE) {
        on_store(job, sent_run, sent_done);
        return;
    }
    reply_and_free(job);
}

static void
answer_signed(struct task *task)
{
    struct job *job = job_of_sign(task);

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
        on_signer(job, buf_span(&job->answer_part), answer_signed);
    } else if (job->out.n > 0) {
        answer_ready(job);
    } else {
        give_up(job, &job->e);
    }
}

static void
answer(struct job *job, enum answer_kind kind)
{
    job->answer = kind;
    job->now = clock_now();
    if (job->key != NULL && (kind == ANSWER_CONFIRM || kind == ANSWER_DONE)) {
        mac_cache_drop(job->ra->mac_cache, job->registration.id,
                       cmp_mac_key_algorithm(job->key)); /* this was the last message */
    }
    on_worker(job, build_run, build_done);
}

/* ---- failures ---- */

static void
answer_failure(struct job *job)
{
    log_err(LOG_INFO, "refused", &job->e, "%s from %s%s%s: %s",
            job->msg != NULL ? cmp_body_name(job->body) : "message",
            http_exchange_peer(job->exchange), job->identity[0] != '\0' ? ", " : "", job->identity,
            cmp_failure_name(job->failure));
    answer(job, ANSWER_FAILURE);
}

static void
fail(struct job *job, enum cmp_failure failure, const struct err *why)
{
    job->failure = failure;
    if (why != &job->e) {
        job->e = *why;
    }
    answer_failure(job);
}

/* How long this transactionID must be remembered: as long as the same octets would be fresh
 * (RFC 9483 3.5), and without messageTime as long as the credential lives. */
static int64_t
keep_until(const struct job *job)
{
    int64_t until = job->now + KEEP_S + 2 * (int64_t)job->ra->settings->message_time_window;
    time_t message_time;

    if (!cmp_msg_time(job->msg, &message_time) && job->registration.not_after > until) {
        until = job->registration.not_after;
    }
    return until;
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
        fail(job, CMP_TRANSACTION_ID_IN_USE, &job->op.e);
    } else if (job->op.result != 0) {
        give_up_on_store(job);
    } else {
        answer_failure(job);
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
    answer(job, ANSWER_WAITING);
}

static void
support_remembered(struct task *task)
{
    struct job *job = job_of_op(task);

    if (job->op.result != 0) {
        remember_done(task);
        return;
    }
    answer(job, ANSWER_SUPPORT);
}

/* ---- towards the CA ---- */

/* What the first message asked for: a certificate, or that something is done. */
static enum answer_kind
delivery(struct job *job)
{
    if (job->enrolment.body == (int)CMP_GENM) {
        job->check_after = POLL_DOWN_S;
        return job->genm_waits ? ANSWER_POLL : ANSWER_SUPPORT;
    }
    return cmp_body_asks_certificate((enum cmp_body)job->enrolment.body) ? ANSWER_ISSUED
                                                                         : ANSWER_DONE;
}

/* The enrolment as it is now decides what the answer is. */
static void
answer_by_state(struct job *job)
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
        answer(job, job->body == CMP_POLLREQ ? ANSWER_POLL : ANSWER_WAITING);
        return;
    case REQUESTS_ANSWERED:
    case REQUESTS_SENT:
    case REQUESTS_UNCONFIRMED:
        answer(job, delivery(job));
        return;
    case REQUESTS_CONFIRMING: /* durable here, so the CA will hear of it */
    case REQUESTS_CONFIRMED:
        answer(job, confirming && !x->implicit ? ANSWER_CONFIRM : delivery(job));
        return;
    case REQUESTS_REJECTED:
        if (x->fail_info < 0) {
            answer(job, ANSWER_CONFIRM); /* the rejection was the client's own */
            return;
        }
        job->in_body = !confirming;
        job->phrase = x->phrase[0] != '\0' ? x->phrase : NULL;
        (void)err_set(&job->e, ERR_DENIED, "the CA says: %s", x->phrase);
        fail(job, (enum cmp_failure)x->fail_info, &job->e);
        return;
    }
    (void)err_set(&job->e, ERR_STORE, "enrolment in state %d", (int)x->state);
    fail(job, CMP_SYSTEM_FAILURE, &job->e);
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
        fail(job, CMP_SYSTEM_FAILURE, &job->e);
        return;
    }
    answer_by_state(job);
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
    answer(job, job->body == CMP_CERTCONF ? ANSWER_CONFIRM : ANSWER_WAITING);
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
        fail(job, job->body == CMP_CERTCONF ? CMP_CERT_CONFIRMED : CMP_TRANSACTION_ID_IN_USE,
             &job->op.e);
    } else if (job->op.e.code == ERR_DENIED) {
        job->failure = CMP_NOT_AUTHORIZED;
        job->e = job->op.e;
        on_store(job, remember_run, remember_done); /* what admit wrote was rolled back */
    } else {
        give_up_on_store(job);
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
        fail(job, CMP_SYSTEM_UNAVAIL, &job->sign.e);
        return;
    }
    job->nested = BUF_INIT(CMP_NESTED_MAX);
    if (cmp_build_finish(buf_span(&job->part), buf_span(&job->sign.signature), &certificate, 1,
                         &job->nested, &job->e) != 0) {
        fail(job, CMP_SYSTEM_FAILURE, &job->e);
        return;
    }
    on_store(job, admit_run, admit_done);
}

/* ---- an end by the client ---- */

static int
close_run(struct store_op *op, struct store_db *db, struct err *e)
{
    const struct job *job = CONTAINER_OF(op, struct job, op);

    return requests_close(db, job->enrolment.id, e);
}

static void
close_done(struct task *task)
{
    struct job *job = job_of_op(task);

    if (job->op.result != 0) {
        give_up_on_store(job);
        return;
    }
    answer(job, ANSWER_CONFIRM);
}

/* ---- who asks ---- */

static void
requester_run(struct task *task)
{
    struct job *job = job_of_task(task);

    if (judge_requester(job) != 0 && job->failure == CMP_NO_FAILURE) {
        job->failure = CMP_SYSTEM_FAILURE;
    }
}

/* Only what is proven to come from the registered one counts, so nobody uses up another's budget;
 * and only what begins a transaction, so one that is under way can be finished. False: refused. */
static bool
charge(struct job *job)
{
    int wait =
        budget_take(job->ra->by_registration, span_str(job->registration.id), clock_monotonic_ms());

    if (wait == 0) {
        job->charged = true;
        return true;
    }
    job->retry_after = wait;
    job->in_body = false;
    (void)err_set(&job->e, ERR_BUSY, "registration %s begins more than its budget allows",
                  job->registration.id);
    fail(job, CMP_SYSTEM_UNAVAIL, &job->e);
    return false;
}

static void
requester_done(struct task *task)
{
    struct job *job = job_of_task(task);
    bool first = !cmp_is_later(job->body);

    if (first && job->authenticated && !charge(job)) {
        return;
    }
    if (job->failure != CMP_NO_FAILURE) {
        if (first && job->authenticated) {
            on_store(job, remember_run, remember_done);
        } else {
            answer_failure(job);
        }
    } else if (job->body == CMP_GENM && job->genm_waits) {
        on_store(job, ask_run, asked);
    } else if (job->body == CMP_GENM) {
        on_store(job, remember_run, support_remembered);
    } else if (job->body == CMP_ERROR) {
        on_store(job, close_run, close_done);
    } else if (job->body == CMP_POLLREQ || job->enrolment.state == REQUESTS_CONFIRMING) {
        answer_by_state(job); /* or a certConf whose pkiConf got lost */
    } else {
        on_signer(job, buf_span(&job->part), wrap_signed);
    }
}

static int
known_run(struct store_op *op, struct store_db *db, struct err *e)
{
    struct job *job = CONTAINER_OF(op, struct job, op);
    struct requests_signer signer;
    bool found;

    if (cmp_is_later(job->body)) {
        if (requests_enrolment_find(db, job->identity, cmp_msg_transaction_id(job->msg),
                                    &job->enrolment, &job->found, &job->known, e) != 0) {
            return -1;
        }
        return job->found ? requests_registration_by_id(db, job->enrolment.registration,
                                                        &job->registration, &job->registered, e)
                          : 0;
    }
    if (job->own && requests_certificate_find(db, span_of(job->fingerprint, SHA256_SIZE),
                                              &job->held, &found, e) != 0) {
        return -1;
    }
    if (job->body == CMP_RR && judge_own_applies(job)) {
        return judge_revoke_look(job, db, e);
    }
    if (judge_own_applies(job)) {
        return requests_registration_by_instance(db, job->own_instance, &job->registration,
                                                 &job->registered, e);
    }
    if (job->protection == CMP_PROTECTION_MAC) {
        return requests_registration_by_reference(db, cmp_msg_sender_kid(job->msg),
                                                  &job->registration, &job->registered, e);
    }
    signer = (struct requests_signer){
        .fingerprint = span_of(job->fingerprint, sizeof(job->fingerprint)),
        .public_key = span_of(job->signer_key, sizeof(job->signer_key)),
        .issuer = job->signer_issuer,
        .subject = job->signer_subject,
    };
    return requests_registration_by_signer(db, &signer, &job->registration, &job->registered, e);
}

static void
known_done(struct task *task)
{
    struct job *job = job_of_op(task);

    if (job->op.result != 0) {
        give_up_on_store(job);
        return;
    }
    on_worker(job, requester_run, requester_done);
}

static void
form_run(struct task *task)
{
    struct job *job = job_of_task(task);

    if (judge_form(job) != 0 && job->failure == CMP_NO_FAILURE) {
        job->failure = CMP_SYSTEM_FAILURE;
    }
}

static void
form_done(struct task *task)
{
    struct job *job = job_of_task(task);

    if (job->failure != CMP_NO_FAILURE) {
        answer_failure(job);
        return;
    }
    on_store(job, known_run, known_done);
}

void
transaction_begin(struct ra *ra, struct http_exchange *exchange, const struct route *route)
{
    on_worker(job_new(ra, exchange, route), form_run, form_done);
}

/* ---- who must come again ---- */

static void
refusal_run(struct task *task)
{
    struct job *job = job_of_task(task);

    job->msg = cmp_msg_parse(http_exchange_request(job->exchange)->body, CMP_MESSAGE_MAX, &job->e);
}

static void
refusal_done(struct task *task)
{
    struct job *job = job_of_task(task);

    if (job->msg == NULL) {
        http_reply_busy(job->exchange, job->retry_after, NULL, (struct span){0});
        job_free(job);
        return;
    }
    job->body = cmp_msg_body(job->msg);
    job->failure = CMP_SYSTEM_UNAVAIL;
    answer(job, ANSWER_FAILURE);
}

void
transaction_refuse(struct ra *ra, struct http_exchange *exchange, const struct route *route,
                   int retry_after)
{
    struct job *job;

    if (ra->refusals >= REFUSALS_MAX) {
        http_reply_busy(exchange, retry_after, NULL, (struct span){0});
        return;
    }
    ra->refusals++;
    job = job_new(ra, exchange, route);
    job->refusal = true;
    job->retry_after = retry_after;
    on_worker(job, refusal_run, refusal_done);
}
