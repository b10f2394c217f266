/* SPDX-License-Identifier: Apache-2.0 */
/* genm: answered by the RA alone (RFC 9483 4.3). One that must wait for a CRL is kept for its
 * polls; of any other its transactionID is all that is. */
#include "ra/transaction/admit.h"
#include "ra/transaction/kind.h"

static enum message_stage
judged(struct job *job)
{
    (void)job;
    return STAGE_ADMIT;
}

static int
admit(struct job *job, struct store_db *db, enum message_stage *next, struct err *e)
{
    const struct requests_admission a = admission_of(job);

    *next = STAGE_BUILD;
    if (!job->facts.question.waits) {
        job->answer = ANSWER_SUPPORT;
        return admit_remembered(job, db, e);
    }
    if (requests_ask(db, &a, cmp_msg_content(job->msg), &job->enrolment.id, e) != 0) {
        return -1;
    }
    admit_began(job);
    return 0;
}

static int
conflict(struct job *job, struct store_db *db, const struct err *why, enum message_stage *next,
         struct err *e)
{
    if (job->facts.question.waits) {
        return admit_again(job, db, why, next, e);
    }
    *next = admit_copy(job, why);
    return 0;
}

const struct message_kind message_question = {
    .judged = judged,
    .admit = admit,
    .conflict = conflict,
};
