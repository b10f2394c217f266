/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The way of one message. Each arrow is a hand-over between threads; the loop decides at each stop.
 *
 *         worker       store        worker     worker        signer       store
 *   begin -------> form ------> known ------> requester, request ----> wrap ------> admitted
 *                   |                          |     |                          |
 *                   | failure          failure |     | pollReq       link, wait for the CA
 *                   |                          |     |              | answer       | sync_wait over
 *                   |    remember <------------+     |              |              |
 *                   | (first, authenticated)         |              |              |
 *                   v        v                       v              v              v
 *                     error                        state          issued        waiting
 *
 *   and each of them: built by a worker, signed by the signer (or MAC) -> sent: store -> HTTP
 *
 * A message whose MAC key costs much to derive waits for its turn in the lane between "known" and
 * "requester" (lane.h).
 *
 * What is durable before what: the replay entry, the enrolment and the queue row before anything
 * goes to the CA; the CA's answer before anybody hears of it; our senderNonce before the answer
 * that carries it. So a kill at any point loses an HTTP answer at most, and a poll gets it again.
 * A certConf goes the same way; its pkiConf needs the queue row only and waits for the CA no longer
 * than sync_wait.
 * Nothing is written before the message is authenticated.
 * When nobody could verify what the RA signs (own_certificate.h), or nobody signs, a message
 * without a MAC gets HTTP 503 and leaves nothing behind that stands in the way of the same octets
 * later; one with a MAC goes into the queue, unsigned if need be (rewrap.h), and hears "waiting".
 * Here is the way from "begin" to what becomes of the message; admit.c has what goes into ra.db and
 * to the CA, reply.c the last line.
 * An enrolment's own states are in db/requests.h.
 */
#include "ra/transaction.h"

#include "base/log.h"
#include "ra/admit.h"
#include "ra/budget.h"
#include "ra/job.h"
#include "ra/judge_mac.h"
#include "ra/reply.h"

enum { REFUSALS_MAX = 64 /* at once; more are refused by HTTP alone */ };

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
        reply_store_failed(job);
        return;
    }
    reply_with(job, ANSWER_CONFIRM);
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
    (void)job_say(job, PHRASE_BUDGET);
    reply_failure(job);
    return false;
}

/* What is not of now may be anybody's copy: nobody pays for it, and it is not remembered. */
static bool
counts(const struct job *job)
{
    return !cmp_is_later(job->body) && job->authenticated && !job->untimely;
}

static void
go_on(struct job *job)
{
    if (job->failure != CMP_NO_FAILURE) {
        if (counts(job)) {
            admit_refused(job);
        } else {
            reply_failure(job);
        }
    } else if (job->body == CMP_GENM && job->genm_waits) {
        admit_question(job);
    } else if (job->body == CMP_GENM) {
        admit_answerable(job);
    } else if (job->body == CMP_ERROR) {
        job_on_store(job, close_run, close_done);
    } else if (job->body == CMP_POLLREQ || job->enrolment.state == REQUESTS_CONFIRMING ||
               job->enrolment.state == REQUESTS_CONFIRMED) {
        reply_by_state(job); /* or a certConf whose pkiConf got lost, or was never sent */
    } else {
        admit_for_ca(job);
    }
}

static void
request_run(struct task *task)
{
    struct job *job = job_of_task(task);

    if (judge_request(job) != 0 && job->failure == CMP_NO_FAILURE) {
        job->failure = CMP_SYSTEM_FAILURE;
    }
}

static void
request_done(struct task *task)
{
    go_on(job_of_task(task));
}

/* Limits before work: a copy costs nobody's budget and is not judged, and what is over its budget
 * is not judged either. A key may take a tenth of a second (ca/x509/weak_key.h). */
static void
requester_done(struct task *task)
{
    struct job *job = job_of_task(task);

    if (counts(job) && job->seen) {
        admit_repeated(job);
    } else if (counts(job) && !charge(job)) {
        return;
    } else if (job->failure == CMP_NO_FAILURE && !cmp_is_later(job->body)) {
        job_on_worker(job, request_run, request_done);
    } else {
        go_on(job);
    }
}

/* ---- a turn in the lane ---- */

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
static void
turned_away(struct job *job, int retry_after)
{
    job->retry_after = retry_after;
    if (budget_take(job->ra->of_refusals, (struct span){0}, clock_monotonic_ms()) != 0) {
        http_reply_busy(job->exchange, retry_after, NULL, (struct span){0});
        job_free(job);
        return;
    }
    (void)err_set(&job->e, ERR_BUSY, "too many wait for keys of as many iterations");
    reply_fail(job, CMP_SYSTEM_UNAVAIL, &job->e);
}

static void
turn_done(struct lane_turn *turn)
{
    struct job *job = job_of_turn(turn);

    if (turn->retry_after > 0) {
        turned_away(job, turn->retry_after);
    } else if (job->key == NULL && !turn->nobody) {
        reply_failure(job);
    } else {
        log_event(LOG_INFO, "turn", "%s from %s, %s: a key of %llu steps", cmp_body_name(job->body),
                  http_exchange_peer(job->exchange), job->identity,
                  (unsigned long long)turn->work.steps);
        job->had_turn = true;
        job_on_worker(job, requester_run, requester_done);
    }
}

static void
take_turn(struct job *job)
{
    int wait;

    job->turn.derive = turn_derive;
    job->turn.gone = turn_gone;
    job->turn.done = turn_done;
    wait = lane_enter(job->ra->lane, &job->turn);
    if (wait > 0) {
        turned_away(job, wait);
    }
}

/* ---- what the database knows ---- */

static int
known_run(struct store_op *op, struct store_db *db, struct err *e)
{
    return judge_known(CONTAINER_OF(op, struct job, op), db, e);
}

static void
known_done(struct task *task)
{
    struct job *job = job_of_op(task);

    if (job->op.result != 0) {
        reply_store_failed(job);
        return;
    }
    if (judge_mac_wants_turn(job)) {
        take_turn(job);
        return;
    }
    job_on_worker(job, requester_run, requester_done);
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

    /* Before anything is known of it, or written: it may come again as it is. */
    if (job->protection != CMP_PROTECTION_MAC && !reply_is_verifiable(job)) {
        reply_unsigned(job, NULL);
        return;
    }
    if (job->failure != CMP_NO_FAILURE) {
        reply_failure(job);
        return;
    }
    job_on_store(job, known_run, known_done);
}

void
transaction_begin(struct ra *ra, struct http_exchange *exchange, const struct route *route)
{
    job_on_worker(job_new(ra, exchange, route), form_run, form_done);
}

/* ---- who must come again ---- */

static void
refusal_run(struct task *task)
{
    struct job *job = job_of_task(task);

    job->msg = cmp_msg_parse(job->raw, CMP_MESSAGE_MAX, &job->e);
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
    reply_with(job, ANSWER_FAILURE);
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
    job_on_worker(job, refusal_run, refusal_done);
}
