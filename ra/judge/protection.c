/* SPDX-License-Identifier: Apache-2.0 */
#include "ra/judge/protection.h"

#include "base/ossl.h"
#include "ra/judge/own.h"

static int
check_path(struct job *job, bool pinned)
{
    const struct trust *trust = job->ra->credentials.trust;

    return pinned
               ? trust_check_pinned(trust, job->msg, job->signer, job->now, &job->failure, &job->e)
               : trust_check_initial(trust, job->msg, job->signer, job->now, &job->failure,
                                     &job->e);
}

int
judge_signature(struct job *job)
{
    bool usable = job->registered && !job->registration.cancelled;
    bool pinned = usable && (job->registration.proof == PROOF_CERTIFICATE ||
                             job->registration.proof == PROOF_PUBLIC_KEY);

    if (cmp_signature_verify(job->msg, job->signer, &job->failure, &job->e) != 0 ||
        (judge_own_applies(job) || (job->own && !pinned) ? judge_own_path(job)
                                                         : check_path(job, pinned)) != 0) {
        /* The rest of the path is good, so this is no stranger: RFC 9483 3.6.2. */
        job->in_body = job->failure == CMP_CERT_REVOKED && cmp_body_asks_certificate(job->body);
        return -1;
    }
    /* That it is revoked is said in the body, also when its registration was cancelled. */
    if (!usable && !job->held.revoked && !(job->body == CMP_RR && judge_own_applies(job))) {
        (void)err_set(&job->e, ERR_DENIED, "nobody is registered with this certificate");
        return job_say(job, PHRASE_NOT_REGISTERED);
    }
    job->authenticated = true;
    return 0;
}
