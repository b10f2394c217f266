/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which thread does what to a message. A stage gets what has come as a batch: while one is out, or
 * workers or the signer have what may join a commit, the next gathers, so load makes the batches
 * and no timer does.
 *
 * What is durable before what: the replay entry, the enrolment, the queue row and the head over it
 * before that head is signed, which comes before anything goes to the CA; the CA's answer before
 * anybody hears of it; our senderNonce before the answer that carries it: with the message, when
 * its answer has a MAC, which needs nobody else. So a kill at any point loses an HTTP answer at
 * most, and a poll gets it again. A certConf goes the same way; its pkiConf needs the queue row
 * only: it waits for the CA no longer than sync_wait, and not until the CA's word is stored.
 * Nothing is written before the message is authenticated. When nobody could verify what the RA
 * signs (daemon/own_certificate.h), or nobody signs, a message without a MAC gets HTTP 503 and
 * leaves nothing behind that stands in the way of the same octets later; one with a MAC stays in
 * the queue until its head is signed, and hears "waiting". An enrolment's own states are in
 * db/requests/requests.h.
 */
#include "ra/transaction/transaction.h"

#include <string.h>

#include "ca/cmp/protection/signers.h"
#include "ra/judge/mac.h"
#include "ra/queue/queue.h"
#include "ra/report/report.h"
#include "ra/transaction/admit.h"
#include "ra/transaction/charge.h"
#include "ra/transaction/crew.h"
#include "ra/transaction/kind.h"
#include "ra/transaction/reply.h"
#include "ra/transaction/wait.h"
#include "ra/transaction/wrap.h"

enum {
    PIECE = 16,        /* what a worker gets at once */
    DEAR = 4,          /* where one may take long: a tenth of a second for a weak key */
    GROUP = 256,       /* what is committed at once: STORE_GROUP_MAX */
    REFUSALS_MAX = 64, /* at once; more are refused by HTTP alone */
};
_Static_assert((int)GROUP <= (int)QUEUE_HEAD_SIZE_MAX,
               "one head is over all that is admitted at once");

/* ---- who asks, and for what ---- */

static const struct message_kind *
kind_of(enum cmp_body body)
{
    static const struct {
        enum cmp_body body;
        const struct message_kind *kind;
    } rows[] = {
        {CMP_IR, &message_enrolment},    {CMP_CR, &message_enrolment},
        {CMP_P10CR, &message_enrolment}, {CMP_KUR, &message_enrolment},
        {CMP_RR, &message_revocation},   {CMP_CERTCONF, &message_confirmation},
        {CMP_GENM, &message_question},   {CMP_POLLREQ, &message_poll},
        {CMP_ERROR, &message_end},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if (rows[i].body == body) {
            return rows[i].kind;
        }
    }
    return NULL;
}

static void
form(struct job *job)
{
    if (job->turned_away) {
        job->msg = cmp_msg_parse(job->raw, CMP_MESSAGE_MAX, &job->e);
        return;
    }
    if (judge_form(job) != 0 && job->failure == CMP_NO_FAILURE) {
        job->failure = CMP_SYSTEM_FAILURE;
    }
    job->kind = job->msg != NULL ? kind_of(job->body) : NULL;
}

static enum message_stage
turned_away(struct job *job)
{
    if (job->msg == NULL) {
        job->answer = ANSWER_NONE;
        return STAGE_REPLY;
    }
    job->body = cmp_msg_body(job->msg);
    job->failure = CMP_SYSTEM_UNAVAIL;
    job->answer = ANSWER_EXCUSE;
    return STAGE_BUILD;
}

static enum message_stage
form_then(struct job *job)
{
    if (job->turned_away) {
        return turned_away(job);
    }
    /* Before anything is known of it, or written: it may come again as it is. */
    if (job->protection != CMP_PROTECTION_MAC && !reply_is_verifiable(job)) {
        return reply_none(job, NULL);
    }
    return job->failure != CMP_NO_FAILURE ? reply_failure(job) : STAGE_KNOWN;
}

static void
start_form(struct pipeline *p, struct batch *batch)
{
    /* Of a first message, what another RA has wrapped is verified and looked up, too. */
    if (transaction_goes_on(job_of_step(batch->first)->exchange)) {
        crew_work_short(p, STAGE_FORM, batch, form, form_then);
    } else {
        crew_work(p, STAGE_FORM, batch, form, form_then);
    }
}

static enum message_stage
known_then(struct job *job)
{
    struct requests_enrolment *x = &job->enrolment;

    if (x->state == REQUESTS_CONFIRMING && queue_is_confirmed(job->ra->queue, x->id)) {
        x->state = x->accepted ? REQUESTS_CONFIRMED : REQUESTS_REJECTED;
    }
    return judge_mac_wants_turn(job) ? STAGE_TURN : STAGE_JUDGE;
}

static void
start_known(struct pipeline *p, struct batch *batch)
{
    crew_keep(p, STAGE_KNOWN, batch, judge_known, known_then);
}

static void
start_turn(struct pipeline *p, struct batch *batch)
{
    struct job *job;

    (void)p;
    while ((job = job_of_step(batch_take(batch))) != NULL) {
        wait_turn(job);
    }
}

/* What is not of now may be anybody's copy: nobody pays for it, and it is not remembered. */
static bool
counts(const struct job *job)
{
    return !cmp_is_later(job->body) && job->authenticated && !job->untimely;
}

static enum message_stage
judged(struct job *job, int result)
{
    if (result == 0) {
        return job->kind->judged(job);
    }
    if (job->failure == CMP_NO_FAILURE) {
        job->failure = CMP_SYSTEM_FAILURE;
    }
    return counts(job) ? STAGE_ADMIT : reply_failure(job);
}

/* Limits before work: a copy costs nobody's budget and is not judged, and what is over its budget
 * is not judged either. A key may take a tenth of a second (ca/x509/weak_key.h). */
static enum message_stage
request(struct job *job)
{
    if (job->seen) {
        return STAGE_ADMIT;
    }
    return charge_take(job) ? judged(job, judge_request(job)) : reply_failure(job);
}

static void
judge(struct job *job)
{
    const int result = judge_requester(job);

    job->step.stage = result != 0 || cmp_is_later(job->body) ? judged(job, result) : request(job);
}

static void
start_judge(struct pipeline *p, struct batch *batch)
{
    crew_work(p, STAGE_JUDGE, batch, judge, NULL);
}

/* ---- its trace, and the CA ---- */

static enum message_stage
admit_then(struct job *job)
{
    if (job->charge == CHARGE_DUE_BACK) {
        charge_give_back(job);
    }
    return job->step.stage;
}

static void
start_admit(struct pipeline *p, struct batch *batch)
{
    crew_keep_all(p, STAGE_ADMIT, batch, admit_message, admit_close, admit_then);
}

static void
start_wrap(struct pipeline *p, struct batch *batch)
{
    (void)p;
    wrap_begin(batch);
}

static void
start_queue(struct pipeline *p, struct batch *batch)
{
    struct job *job;

    (void)p;
    while ((job = job_of_step(batch_take(batch))) != NULL) {
        wait_for_ca(job);
    }
}

/* ---- the answer ---- */

/* No files are read for it, as they are for a genm. */
static bool
is_short(const struct job *job)
{
    return job->answer == ANSWER_ISSUED || job->answer == ANSWER_CONFIRM;
}

static void
build_at(struct pipeline *p, enum message_stage stage, struct batch *batch)
{
    struct batch built = {.slot = batch->slot};
    struct batch bare = {0};
    struct job *job;

    while ((job = job_of_step(batch_take(batch))) != NULL) {
        job->step.stage = reply_begin(job);
        batch_add(job->step.stage == stage ? &built : &bare, &job->step);
    }
    if (built.n > 0 && is_short(job_of_step(built.first))) {
        crew_work_short(p, stage, &built, reply_build, reply_built);
    } else if (built.n > 0) {
        crew_work(p, stage, &built, reply_build, reply_built);
    }
    pipeline_return(p, &bare);
}

static void
start_build(struct pipeline *p, struct batch *batch)
{
    build_at(p, STAGE_BUILD, batch);
}

static void
start_excuse(struct pipeline *p, struct batch *batch)
{
    build_at(p, STAGE_EXCUSE, batch);
}

static void
on_signed(struct task *task)
{
    struct job *job = CONTAINER_OF(task, struct job, sign.task);

    message_go_on(job, reply_signed(job));
}

static void
start_protect(struct pipeline *p, struct batch *batch)
{
    struct job *job;

    (void)p;
    while ((job = job_of_step(batch_take(batch))) != NULL) {
        buf_free(&job->sign.signature);
        job->sign = (struct signer_job){
            .task.done = on_signed, .object = SIGNER_CMP, .tbs = buf_span(&job->answer_part)};
        signer_pool_submit(job->ra->signers, &job->sign);
    }
}

static void
start_sent(struct pipeline *p, struct batch *batch)
{
    crew_keep(p, STAGE_SENT, batch, reply_sent, NULL);
}

static void
start_forget(struct pipeline *p, struct batch *batch)
{
    crew_keep(p, STAGE_FORGET, batch, reply_forget, NULL);
}

/* What the CA has refused is in the record by itself. */
static void
tell_refused(const struct job *job)
{
    const bool is_refused = job->answer == ANSWER_FAILURE || job->answer == ANSWER_EXCUSE;

    if (is_refused && job->told == NULL && job->failure != CMP_NO_FAILURE) {
        report_refused(job->ra->report, job->registration.id, job->failure,
                       phrase_text(job->e.said != 0 ? (enum phrase)job->e.said
                                                    : phrase_of_failure(job->failure)));
    }
}

static void
start_reply(struct pipeline *p, struct batch *batch)
{
    struct job *job;

    while ((job = job_of_step(batch_take(batch))) != NULL) {
        pipeline_end(p, &job->step);
        if (job->withdrawn) {
            queue_withdrawn(job->ra->queue, job->rid);
        }
        tell_refused(job);
        reply_send(job);
        job_free(job);
    }
}

/* ---- the table ---- */

enum { WORKERS = CREWS_MAX }; /* as many as the pool has, but not more */

static const struct stage table[MESSAGE_STAGES] = {
    [STAGE_FORM] = {"form", PIECE, WORKERS, start_form},
    [STAGE_KNOWN] = {"known", GROUP, 1, start_known},
    [STAGE_TURN] = {"turn", GROUP, PIPELINE_ANY, start_turn},
    [STAGE_JUDGE] = {"judge", DEAR, WORKERS, start_judge},
    [STAGE_ADMIT] = {"admit", GROUP, 1, start_admit},
    [STAGE_WRAP] = {"wrap", GROUP, PIPELINE_ANY, start_wrap},
    [STAGE_QUEUE] = {"queue", GROUP, PIPELINE_ANY, start_queue},
    [STAGE_BUILD] = {"build", PIECE, WORKERS, start_build},
    [STAGE_PROTECT] = {"protect", GROUP, PIPELINE_ANY, start_protect},
    [STAGE_SENT] = {"sent", GROUP, 1, start_sent},
    [STAGE_EXCUSE] = {"excuse", PIECE, WORKERS, start_excuse},
    [STAGE_PROTECT_EXCUSE] = {"protect-excuse", GROUP, PIPELINE_ANY, start_protect},
    [STAGE_FORGET] = {"forget", GROUP, 1, start_forget},
    [STAGE_REPLY] = {"reply", GROUP, PIPELINE_ANY, start_reply},
};

enum {
    COMPUTING = 1U << STAGE_FORM | 1U << STAGE_JUDGE | 1U << STAGE_BUILD,
};

void
transaction_open(struct ra *ra)
{
    /* What workers and the signer have now shares a commit with what waits for it; and what comes
     * while a head of the queue is signed is under one head, the next. */
    static const struct gathering gathering = {
        .awaits = {[STAGE_KNOWN] = COMPUTING,
                   [STAGE_ADMIT] = COMPUTING | 1U << STAGE_WRAP,
                   [STAGE_SENT] = COMPUTING | 1U << STAGE_PROTECT,
                   [STAGE_FORGET] = COMPUTING},
        .wait = crews_wait,
        .soon = crews_soon,
    };
    struct stage stages[MESSAGE_STAGES];
    struct crews *crews = crews_new(ra);

    memcpy(stages, table, sizeof(stages));
    for (size_t i = 0; i < MESSAGE_STAGES; i++) {
        if (stages[i].at_once == WORKERS && (size_t)ra->settings->workers < WORKERS) {
            stages[i].at_once = (unsigned)ra->settings->workers;
        }
    }
    ra->messages = pipeline_new(stages, MESSAGE_STAGES, &gathering, crews);
    crews_begin(crews);
    signers_keep();
}

void
transaction_close(struct ra *ra)
{
    if (ra->messages != NULL) {
        struct crews *crews = pipeline_context(ra->messages);

        signers_forget();
        pipeline_free(ra->messages);
        crews_free(crews);
        ra->messages = NULL;
    }
}

/* ---- ways in ---- */

bool
transaction_goes_on(const struct http_exchange *exchange)
{
    return cmp_looks_later(http_exchange_request(exchange)->body);
}

void
transaction_begin(struct ra *ra, struct http_exchange *exchange, const struct route *route,
                  struct crowd_place place)
{
    struct job *job = job_new(ra, exchange, route);

    job->place = place;
    pipeline_enter(ra->messages, &job->step, STAGE_FORM);
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
    job->turned_away = true;
    job->retry_after = retry_after;
    pipeline_enter(ra->messages, &job->step, STAGE_FORM);
}
