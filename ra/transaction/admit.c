/* SPDX-License-Identifier: Apache-2.0 */
#include "ra/transaction/admit.h"

#include "db/store/batch.h"
#include "ra/judge/own.h"
#include "ra/queue/heads.h"
#include "ra/transaction/crew.h"
#include "ra/transaction/kind.h"
#include "ra/transaction/reply.h"

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

struct requests_admission
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
        .nonce = job_nonce(job),
    };
}

/* ---- what was there before ---- */

/* A replay was sent by anybody: the one whose message it was does not pay for it. */
static void
pays_nothing(struct job *job)
{
    if (job->charge == CHARGE_TAKEN) {
        job->charge = CHARGE_DUE_BACK;
    }
}

enum message_stage
admit_copy(struct job *job, const struct err *why)
{
    pays_nothing(job);
    job->in_body = false;
    return reply_refuse(job, CMP_TRANSACTION_ID_IN_USE, why);
}

int
admit_again(struct job *job, struct store_db *db, const struct err *why, enum message_stage *next,
            struct err *e)
{
    const struct requests_admission a = admission_of(job);
    struct err used = {0};

    (void)why;
    if (job->protection == CMP_PROTECTION_SIGNATURE &&
        requests_enrolment_unanswered(
            db, &a, job->body == CMP_GENM ? cmp_msg_content(job->msg) : span_of(NULL, 0),
            &job->enrolment, &job->found, e) != 0) {
        return -1;
    }
    if (job->found) {
        pays_nothing(job);
        *next = reply_by_state(job);
        return 0;
    }
    (void)err_set(&used, ERR_CONFLICT, "this transactionID was used before");
    *next = admit_copy(job, &used);
    return 0;
}

/* It was seen, when that was looked at: and nothing is left of it when it could not be answered. */
static int
admit_seen(struct job *job, struct store_db *db, enum message_stage *next, struct err *e)
{
    bool seen = false;

    if (requests_is_seen(db, job->identity, cmp_msg_transaction_id(job->msg), &seen, e) != 0) {
        return -1;
    }
    return seen ? admit_again(job, db, NULL, next, e)
                : err_set(e, ERR_NOTFOUND, "the request was withdrawn meanwhile");
}

/* ---- what is new ---- */

int
admit_remembered(struct job *job, struct store_db *db, struct err *e)
{
    if (requests_remember(db, job->identity, cmp_msg_transaction_id(job->msg), keep_until(job),
                          e) != 0) {
        return -1;
    }
    job->remembered = true;
    return 0;
}

void
admit_began(struct job *job)
{
    job->found = true;
    job->enrolment.body = (int)job->body;
    job->enrolment.cert_req_id = job->cert_req_id;
    job->answer = ANSWER_WAITING;
}

int
admit_for_ca(struct job *job, const struct requests_admission *about, struct store_db *db,
             enum message_stage *next, struct err *e)
{
    struct requests_admission a = *about;

    a.message = cmp_msg_der(job->msg);
    a.entry = buf_span(&job->entry);
    if (requests_admit(db, &a, &job->enrolment.id, &job->sequence, e) != 0) {
        return -1;
    }
    admit_began(job);
    job->enrolment.state = REQUESTS_QUEUED;
    *next = STAGE_WRAP;
    return 0;
}

/* A first message that came to nothing: job->failure and job->e. */
static int
remember_refusal(struct job *job, struct store_db *db, enum message_stage *next, struct err *e)
{
    struct err why = {0};

    *next = STAGE_BUILD;
    if (admit_remembered(job, db, &why) == 0) {
        return 0;
    }
    if (why.code == ERR_CONFLICT) {
        *next = admit_copy(job, &why);
        return 0;
    }
    *e = why;
    return -1;
}

/* ---- the stage ---- */

struct part {
    struct job *job;
    enum message_stage next;
};

static int
run_part(void *arg, struct store_db *db, struct err *e)
{
    struct part *part = arg;

    return part->job->kind->admit(part->job, db, &part->next, e);
}

static int
admit_kind(struct job *job, struct store_db *db, enum message_stage *next, struct err *e)
{
    struct part part = {.job = job};
    struct err why = {0};

    if (store_part(db, run_part, &part, &why) == 0) {
        *next = part.next;
        return 0;
    }
    if (why.code == ERR_CONFLICT && job->kind->conflict != NULL) {
        return job->kind->conflict(job, db, &why, next, e);
    }
    if (why.code == ERR_DENIED) {
        job->e = why;
        (void)job_say(job, PHRASE_USED_UP);
        return remember_refusal(job, db, next, e); /* what was written was undone */
    }
    *e = why;
    return -1;
}

int
admit_message(struct job *job, struct store_db *db, struct err *e)
{
    enum message_stage next = STAGE_BUILD;
    int result;

    if (job->failure != CMP_NO_FAILURE) {
        result = remember_refusal(job, db, &next, e);
    } else if (job->seen) {
        result = admit_seen(job, db, &next, e);
    } else {
        result = admit_kind(job, db, &next, e);
    }
    if (result == 0) {
        job->step.stage = next;
    }
    return result;
}

int
admit_close(const struct batch *batch, struct store_db *db, struct err *e)
{
    CLEANUP(requests_head_clear) struct requests_head row = {0};
    struct ra *ra = job_of_step(batch->first)->ra;
    const struct requests_author author = heads_author(ra);
    struct head *head;

    if (requests_put_head(db, &author, &row, e) != 0) {
        return -1;
    }
    if (row.first == 0) {
        return 0;
    }
    head = head_made(&row, e);
    if (head == NULL) {
        return -1;
    }
    for (struct pipeline_job *step = batch->first; step != NULL; step = step->next) {
        struct job *job = job_of_step(step);

        if (job->sequence != 0) {
            job->head = head_use(head);
        }
    }
    head_release(ra->heads, head);
    return 0;
}
