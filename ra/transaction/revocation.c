/* SPDX-License-Identifier: Apache-2.0 */
/* rr: a certificate is to be revoked (RFC 9483 4.2, 5.3.2). There is nothing to confirm. */
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
    struct requests_admission a = admission_of(job);

    a.implicit = true;
    a.uncounted = job->uncounted;
    a.target =
        span_of(job->facts.revocation.revreq.serial, job->facts.revocation.revreq.serial_size);
    return admit_for_ca(job, &a, db, next, e);
}

const struct message_kind message_revocation = {
    .judged = judged,
    .admit = admit,
    .conflict = admit_again,
};
