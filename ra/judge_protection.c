/* SPDX-License-Identifier: Apache-2.0 */
#include "ra/judge_protection.h"

#include "base/ossl.h"
#include "ra/judge_own.h"
#include "ra/mac_cache.h"
#include "ra/seal.h"

/* The registration's secret, or one that nobody has when there is none: the same work follows. */
static int
open_secret(struct job *job, struct buf *secret, bool *real)
{
    *real = job->registered && job->registration.sealed.n > 0 && !job->registration.cancelled;
    if (*real) {
        return seal_open(buf_span(&job->ra->seal_key), job->registration.id,
                         buf_span(&job->registration.sealed), secret, &job->e);
    }
    return seal_make_secret(secret, &job->e);
}

int
judge_mac(struct job *job)
{
    CLEANUP(buf_free) struct buf secret = BUF_SECRET(128);
    bool real = false;

    if (open_secret(job, &secret, &real) != 0) {
        return job_fail(job, CMP_SYSTEM_FAILURE);
    }
    /* A first message derives in any case: it must not show whether its reference is known. */
    if (real && job->found) {
        job->key = mac_cache_get(job->ra->mac_cache, job->registration.id,
                                 cmp_msg_protection_alg(job->msg), job->now);
    }
    if (job->key == NULL) {
        job->key = cmp_mac_key_new(cmp_msg_protection_alg(job->msg), buf_span(&secret),
                                   &job->ra->rules.mac, &job->failure, &job->e);
    }
    if (job->key == NULL || cmp_mac_verify(job->key, job->msg, &job->failure, &job->e) != 0) {
        return -1;
    }
    if (!real) {
        (void)err_set(&job->e, ERR_DENIED, "nobody is registered under this reference");
        return job_fail(job, CMP_BAD_MESSAGE_CHECK);
    }
    job->authenticated = true;
    if (cmp_body_asks_certificate(job->body) && !cmp_msg_implicit_confirm(job->msg)) {
        mac_cache_put(job->ra->mac_cache, job->registration.id, job->key, job->now);
    }
    return 0;
}

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
