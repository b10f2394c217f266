/* SPDX-License-Identifier: Apache-2.0 */
/* error: the client gives its transaction up. */
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
    job->answer = ANSWER_CONFIRM;
    *next = STAGE_BUILD;
    return requests_close(db, job->enrolment.id, e);
}

const struct message_kind message_end = {
    .judged = judged,
    .admit = admit,
};
