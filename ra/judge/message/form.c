/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <stdio.h>

#include "base/ossl.h"
#include "ca/cmp/protection/mac.h"
#include "ca/x509/name.h"
#include "ra/judge/job.h"
#include "ra/judge/message/revoke.h"
#include "ra/judge/nested.h"
#include "ra/judge/own.h"
#include "ra/judge/time.h"

/* "mac:<reference>", or "pbmac1:", with what a text column may hold: one kind of MAC through a
 * transaction (RFC 9483 3.2). */
static int
identity_of_mac(struct job *job)
{
    struct span kid = cmp_msg_sender_kid(job->msg); /* not empty: its form was right */

    if (kid.n >= REQUESTS_REFERENCE_SIZE) {
        (void)err_set(&job->e, ERR_DENIED, "senderKID of %zu octets is no reference", kid.n);
        return job_say(job, PHRASE_NO_REFERENCE);
    }
    for (size_t i = 0; i < kid.n; i++) {
        if (kid.p[i] <= ' ' || kid.p[i] > '~') {
            (void)err_set(&job->e, ERR_DENIED, "senderKID is no reference");
            return job_say(job, PHRASE_NO_REFERENCE);
        }
    }
    (void)snprintf(job->identity, sizeof(job->identity), "%s:%.*s",
                   cmp_mac_is_pbmac1(cmp_msg_protection_algorithm(job->msg)) ? "pbmac1" : "mac",
                   (int)kid.n, (const char *)kid.p);
    /* The form of the header was right, and so its limits: only memory may be short. */
    return cmp_mac_algorithm_work(cmp_msg_protection_alg(job->msg), &job->turn.work, &job->e) == 0
               ? 0
               : job_fail(job, CMP_SYSTEM_FAILURE);
}

/* "cert:<SHA-256>" */
static int
identity_of_signature(struct job *job)
{
    char hex[2 * SHA256_SIZE + 1];
    struct span der = cmp_msg_extra(job->msg, 0);

    if (job->rules->old.signer_anywhere && cmp_signer_find(job->msg, &der, &job->e) != 0) {
        return job_fail(job, CMP_SYSTEM_FAILURE);
    }
    job->signer = cmp_signer_decode(der, &job->e);
    if (job->signer == NULL) {
        return job_say(job, PHRASE_NO_SIGNER);
    }
    if (cmp_check_signer(job->msg, job->rules, job->signer, &job->failure, &job->e) != 0) {
        return -1;
    }
    if (certificate_key_hash(job->signer, job->signer_key, &job->e) != 0) {
        return job_fail(job, CMP_BAD_MESSAGE_CHECK); /* longer than any key that we take */
    }
    if (sha256(der, job->fingerprint, &job->e) != 0) {
        return job_fail(job, CMP_SYSTEM_FAILURE);
    }
    hex_format(span_of(job->fingerprint, sizeof(job->fingerprint)), hex);
    (void)snprintf(job->identity, sizeof(job->identity), "cert:%s", hex);
    job->signer_issuer = name_text(X509_get_issuer_name(job->signer));
    job->signer_subject = name_text(X509_get_subject_name(job->signer));
    judge_own_identify(job);
    return 0;
}

static int
identify(struct job *job)
{
    job->protection = cmp_protection_of(job->msg);
    /* cmp_check_first() and cmp_check_later() take nothing else. */
    assert(job->protection == CMP_PROTECTION_MAC || job->protection == CMP_PROTECTION_SIGNATURE);
    return job->protection == CMP_PROTECTION_MAC ? identity_of_mac(job)
                                                 : identity_of_signature(job);
}

/* What the answer to a first message names. */
static int
cert_req_id(const struct job *job)
{
    if (!cmp_body_asks_certificate(job->body) || job->body == CMP_P10CR) {
        return CMP_POLL_OTHER;
    }
    return job->rules->old.any_cert_req_id ? cmp_certreq_peek_id(job->msg) : CMP_CERT_REQ_ID;
}

int
judge_form(struct job *job)
{
    bool first;

    job->failure = CMP_NO_FAILURE;
    job->msg = cmp_msg_parse(job->raw, CMP_MESSAGE_MAX, &job->e);
    if (job->msg == NULL) {
        cmp_echo_read(job->raw, CMP_MESSAGE_MAX, &job->echo);
        return job_fail(job, CMP_BAD_DATA_FORMAT);
    }
    job->body = cmp_msg_body(job->msg);
    if (job->body == CMP_NESTED) {
        if (nested_open(job) != 0) {
            return -1;
        }
        job->body = cmp_msg_body(job->msg);
    }
    job->cert_req_id = cert_req_id(job);
    if (sha256(cmp_msg_der(job->msg), job->rid, &job->e) != 0) {
        return job_fail(job, CMP_SYSTEM_FAILURE);
    }
    /* A client that lost our only answer knows no nonce of ours: its poll has the form of a first
     * message, and judge_later_nonce() decides. */
    first = !cmp_is_later(job->body) ||
            (job->body == CMP_POLLREQ && cmp_msg_recip_nonce(job->msg).n == 0);
    if ((first ? cmp_check_first(job->msg, job->rules, &job->failure, &job->e)
               : cmp_check_later(job->msg, job->rules, &job->failure, &job->e)) != 0) {
        return -1;
    }
    judge_time_see(job);
    if (!route_takes(&job->route, job->body) &&
        (job->outer == NULL || job->route.body != (int)CMP_NESTED)) {
        (void)err_set(&job->e, ERR_DENIED, "%s on a path for another operation",
                      cmp_body_name(job->body));
        return job_say(job, PHRASE_PATH_OPERATION);
    }
    if (job->body == CMP_RR) {
        judge_revoke_form(job);
    }
    return identify(job);
}
