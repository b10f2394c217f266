/* SPDX-License-Identifier: Apache-2.0 */
#include "ra/judge/mac.h"

#include "base/ossl.h"
#include "ra/secret/mac_cache.h"
#include "ra/secret/seal.h"

static bool
is_real(const struct job *job)
{
    return job->registered && job->registration.sealed.n > 0 && !job->registration.cancelled;
}

/* A first message derives in any case: it must not show whether its reference is known. */
static void
find_key(struct job *job)
{
    if (is_real(job) && job->found) {
        job->key = mac_cache_get(job->ra->mac_cache, job->registration.id,
                                 cmp_msg_protection_alg(job->msg), job->now);
    }
}

bool
judge_mac_wants_turn(struct job *job)
{
    struct lane_turn *turn = &job->turn;

    if (job->protection != CMP_PROTECTION_MAC || !lane_is_for(&turn->work) ||
        (cmp_is_later(job->body) && !job->found)) {
        return false;
    }
    find_key(job);
    if (job->key != NULL) {
        return false;
    }
    turn->address = *job->address;
    turn->reference = job->identity;
    turn->nobody = !is_real(job);
    return true;
}

/* The registration's secret, or one that nobody has when there is none: the same work follows. */
static int
open_secret(struct job *job, struct buf *secret)
{
    if (is_real(job)) {
        return seal_open(buf_span(&job->ra->seal_key), job->registration.id,
                         buf_span(&job->registration.sealed), secret, &job->e);
    }
    return seal_make_secret(secret, &job->e);
}

void
judge_mac_derive(struct job *job)
{
    CLEANUP(buf_free) struct buf secret = BUF_SECRET(128);

    if (open_secret(job, &secret) != 0) {
        job->failure = CMP_SYSTEM_FAILURE;
        return;
    }
    job->key = cmp_mac_key_new(cmp_msg_protection_alg(job->msg), buf_span(&secret),
                               &job->ra->rules.mac, &job->failure, &job->e);
}

static void
get_key(struct job *job)
{
    if (job->key == NULL && job->had_turn) { /* nobody's: the time has passed already */
        job->key = cmp_mac_key_random(cmp_msg_protection_alg(job->msg), &job->ra->rules.mac,
                                      &job->failure, &job->e);
        return;
    }
    if (job->key == NULL) {
        find_key(job);
    }
    if (job->key == NULL) {
        judge_mac_derive(job);
    }
}

/* Will there be another message in this transaction, or would deriving again cost so much that one
 * is foreseen? */
static bool
keeps_key(const struct job *job)
{
    return (cmp_body_asks_certificate(job->body) && !cmp_msg_implicit_confirm(job->msg)) ||
           lane_is_for(&job->turn.work);
}

int
judge_mac(struct job *job)
{
    get_key(job);
    if (job->key == NULL || cmp_mac_verify(job->key, job->msg, &job->failure, &job->e) != 0) {
        return -1;
    }
    if (!is_real(job)) {
        (void)err_set(&job->e, ERR_DENIED, "nobody is registered under this reference");
        return job_fail(job, CMP_BAD_MESSAGE_CHECK);
    }
    job->authenticated = true;
    if (keeps_key(job)) {
        mac_cache_put(job->ra->mac_cache, job->registration.id, job->key, job->now);
    }
    return 0;
}
