/* SPDX-License-Identifier: Apache-2.0 */
#include "ra/judge/nested.h"

#include "base/log.h"
#include "base/ossl.h"
#include "base/validity.h"
#include "ca/trust/trust.h"
#include "ca/x509/name.h"
#include "ra/daemon/crl_files.h"
#include "ra/judge/job.h"
#include "ra/judge/time.h"

/* Of one of ours, in the CRL of our issuing CA; a trust section has those of others. */
static int
check_status(struct job *job, X509 *signer)
{
    const char *dir = job->ra->settings->crl_dir;
    const X509_NAME *issuer = X509_get_issuer_name(signer);
    CLEANUP(crl_files_cleanup) struct crl_files *crls = NULL;
    CLEANUP(x509_crl_cleanup) X509_CRL *crl = NULL;
    X509_REVOKED *entry = NULL;

    if (dir == NULL) {
        return 0;
    }
    crls = crl_files_read(dir, &job->e);
    if (crls == NULL) {
        return job_fail(job, CMP_SYSTEM_FAILURE);
    }
    for (size_t i = 0; crl == NULL && i < crls->n; i++) {
        if (crl_file_is_of(&crls->files[i], issuer)) {
            const unsigned char *p = crls->files[i].der.p;

            crl = d2i_X509_CRL(NULL, &p, (long)crls->files[i].der.n);
        }
    }
    if (crl == NULL || validity_is_past(X509_CRL_get0_nextUpdate(crl), job->now) ||
        X509_CRL_verify(crl, X509_get0_pubkey(job->ra->credentials.issuing)) != 1) {
        (void)ossl_err(&job->e, ERR_DENIED, "no good CRL of the upstream RA's issuer in %s", dir);
        return job_fail(job, CMP_SIGNER_NOT_TRUSTED);
    }
    if (X509_CRL_get0_by_cert(crl, &entry, signer) != 0) {
        (void)err_set(&job->e, ERR_DENIED, "the upstream RA's certificate is revoked");
        return job_fail(job, CMP_CERT_REVOKED);
    }
    return 0;
}

static int
check_upstream(struct job *job, X509 *signer)
{
    const struct credentials *c = &job->ra->credentials;
    bool ours = name_equal(X509_get_issuer_name(signer), X509_get_subject_name(c->issuing));

    if (EVP_PKEY_eq(X509_get0_pubkey(signer), X509_get0_pubkey(c->certificate)) == 1) {
        (void)err_set(&job->e, ERR_DENIED, "nested by ourselves");
        return job_fail(job, CMP_NOT_AUTHORIZED);
    }
    if (trust_check_ra(c->trust, job->msg, signer, job->now, &job->failure, &job->e) != 0) {
        return -1;
    }
    return ours ? check_status(job, signer) : 0;
}

/* RFC 9483 5.2.2.1: exactly one message, whose transactionID and senderNonce the outer one repeats;
 * a recipNonce, when there is one, too. */
static int
read_inner(struct job *job, struct cmp_msg **inner)
{
    struct span raw;
    struct span nonce = cmp_msg_recip_nonce(job->msg);

    if (cmp_nested_read(job->msg, &raw, &job->failure, &job->e) != 0) {
        return -1;
    }
    *inner = cmp_msg_parse(raw, CMP_MESSAGE_MAX, &job->e);
    if (*inner == NULL) {
        return job_fail(job, CMP_BAD_DATA_FORMAT);
    }
    if (cmp_msg_body(*inner) == CMP_NESTED) {
        (void)err_set(&job->e, ERR_DENIED, "nested in nested");
        return job_fail(job, CMP_BAD_REQUEST);
    }
    if (!span_equal(cmp_msg_transaction_id(*inner), cmp_msg_transaction_id(job->msg)) ||
        !span_equal(cmp_msg_sender_nonce(*inner), cmp_msg_sender_nonce(job->msg)) ||
        (nonce.n != 0 && !span_equal(nonce, cmp_msg_recip_nonce(*inner)))) {
        (void)err_set(&job->e, ERR_DENIED,
                      "nested: transactionID and nonces are not those of the message inside");
        return job_fail(job, CMP_BAD_REQUEST);
    }
    return 0;
}

static int
check_outer(struct job *job)
{
    struct cmp_rules rules = job->ra->rules;
    bool first = cmp_msg_recip_nonce(job->msg).n == 0;
    CLEANUP(x509_cleanup) X509 *signer = NULL;

    rules.bodies = CMP_BODY_BIT(CMP_NESTED);
    if ((first ? cmp_check_first(job->msg, &rules, &job->failure, &job->e)
               : cmp_check_later(job->msg, &rules, &job->failure, &job->e)) != 0) {
        return -1;
    }
    judge_time_see(job);
    if (cmp_protection_of(job->msg) != CMP_PROTECTION_SIGNATURE) {
        (void)err_set(&job->e, ERR_DENIED, "nested, but not signed");
        return job_fail(job, CMP_WRONG_INTEGRITY);
    }
    signer = cmp_msg_signer(job->msg, &job->e);
    if (signer == NULL) {
        return job_fail(job, CMP_BAD_MESSAGE_CHECK);
    }
    if (cmp_check_signer(job->msg, &rules, signer, &job->failure, &job->e) != 0 ||
        cmp_signature_verify(job->msg, signer, &job->failure, &job->e) != 0 ||
        check_upstream(job, signer) != 0) {
        return judge_time_stranger(job);
    }
    if (judge_time(job) != 0) {
        return -1;
    }
    job->upstream = name_text(X509_get_subject_name(signer));
    return 0;
}

int
nested_open(struct job *job)
{
    CLEANUP(cmp_msg_cleanup) struct cmp_msg *inner = NULL;

    if (check_outer(job) != 0 || read_inner(job, &inner) != 0) {
        return -1;
    }
    job->outer = job->msg;
    job->msg = TAKE(inner);
    log_event(LOG_INFO, "nested", "%s through %s", cmp_body_name(cmp_msg_body(job->msg)),
              job->upstream);
    return 0;
}
