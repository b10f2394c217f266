/* SPDX-License-Identifier: Apache-2.0 */
/* ir, cr, p10cr, kur: somebody wants a certificate (RFC 9483 4.1). The CA has the last word. */
#include "ra/judge/message/profile.h"
#include "ra/transaction/admit.h"
#include "ra/transaction/kind.h"

static enum message_stage
judged(struct job *job)
{
    (void)job;
    return STAGE_ADMIT;
}

/* Nobody confirms the answer: asked for and granted. What a kur updates is superseded by its
 * certConf and by nothing else (RFC 9483 4.1.3). */
static bool
is_implicit(const struct job *job)
{
    return cmp_msg_implicit_confirm(job->msg) && job->ra->settings->implicit_confirm &&
           job->body != CMP_KUR && !job->facts.enrolment.superseding &&
           judge_profile_is_implicit(job);
}

static int
admit(struct job *job, struct store_db *db, enum message_stage *next, struct err *e)
{
    struct requests_admission a = admission_of(job);

    a.implicit = is_implicit(job);
    a.uncounted = job->uncounted;
    a.asked = buf_span(&job->facts.enrolment.asked);
    return admit_for_ca(job, &a, db, next, e);
}

const struct message_kind message_enrolment = {
    .judged = judged,
    .admit = admit,
    .conflict = admit_again,
};
