/* SPDX-License-Identifier: Apache-2.0 */
/* certConf: what was issued is taken, or not (RFC 9483 4.1.1). It is durable in the queue when it
 * is answered, which is all that a pkiConf says: few clients could poll for it. */
#include "ra/transaction/kind.h"
#include "ra/transaction/reply.h"

static enum message_stage
judged(struct job *job)
{
    const enum requests_state state = job->enrolment.state;

    if (state == REQUESTS_CONFIRMING || state == REQUESTS_CONFIRMED) {
        return reply_by_state(job); /* its pkiConf got lost, or was never sent */
    }
    return STAGE_ADMIT;
}

static int
admit(struct job *job, struct store_db *db, enum message_stage *next, struct err *e)
{
    const struct requests_item item = {.rid = span_of(job->rid, sizeof(job->rid)),
                                       .nonce = job_nonce(job),
                                       .message = cmp_msg_der(job->msg),
                                       .entry = buf_span(&job->entry)};

    job->answer = ANSWER_CONFIRM; /* unless the CA is faster */
    *next = STAGE_WRAP;
    return requests_admit_confirmation(
        db, job->enrolment.id, job->facts.confirmation.certconf.accepted, &item, &job->sequence, e);
}

static int
conflict(struct job *job, struct store_db *db, const struct err *why, enum message_stage *next,
         struct err *e)
{
    (void)db;
    (void)e;
    job->in_body = false;
    *next = reply_refuse(job, CMP_CERT_CONFIRMED, why);
    return 0;
}

const struct message_kind message_confirmation = {
    .judged = judged,
    .admit = admit,
    .conflict = conflict,
};
