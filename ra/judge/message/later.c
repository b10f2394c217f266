/* SPDX-License-Identifier: Apache-2.0 */
#include "ra/judge/message/later.h"

#include <stdio.h>

#include "base/log.h"
#include "base/ossl.h"
#include "ra/judge/message/support.h"

int
judge_later_nonce(struct job *job)
{
    struct span given = cmp_msg_recip_nonce(job->msg);
    struct span last = buf_span(&job->enrolment.nonce);
    struct span before = buf_span(&job->enrolment.nonce_before);

    if (given.n == 0 && job->body == CMP_POLLREQ) {
        return 0;
    }
    if (given.n > 0 && (span_equal_secret(given, last) || span_equal_secret(given, before))) {
        return 0;
    }
    (void)err_set(&job->e, ERR_DENIED, "recipNonce is none of our senderNonces");
    return job_fail(job, CMP_BAD_RECIPIENT_NONCE);
}

/* The same octets as before, and the last answer that left is the one that they answer, with the
 * certificate: a signer was away when the pkiConf was to be signed, say. One with a MAC needs no
 * signer: its nonce is stored with the certConf, so it counts as one that left, also where the RA
 * was killed before it did; the client then hears certConfirmed, which tells it as much. */
static bool
pkiconf_never_left(const struct job *job)
{
    return job->facts.confirmation.queued &&
           span_equal_secret(cmp_msg_recip_nonce(job->msg), buf_span(&job->enrolment.nonce));
}

int
judge_certconf(struct job *job)
{
    const struct requests_enrolment *x = &job->enrolment;

    if ((x->state == REQUESTS_CONFIRMED && !pkiconf_never_left(job)) ||
        x->state == REQUESTS_REJECTED) {
        (void)err_set(&job->e, ERR_CONFLICT, "certConf after the end of the transaction");
        return job_fail(job, CMP_CERT_CONFIRMED);
    }
    if (x->certificate.n == 0) {
        (void)err_set(&job->e, ERR_CONFLICT, "certConf without a certificate");
        return job_say(job, PHRASE_NOTHING_TO_CONFIRM);
    }
    if (cmp_certconf_read(job->msg, x->cert_req_id, &job->facts.confirmation.certconf,
                          &job->failure, &job->e) != 0 ||
        cmp_certconf_match(&job->facts.confirmation.certconf, buf_span(&x->certificate),
                           &job->failure, &job->e) != 0) {
        return -1;
    }
    if (x->state == REQUESTS_CONFIRMING || x->state == REQUESTS_CONFIRMED) {
        if (job->facts.confirmation.certconf.accepted == x->accepted) {
            job->facts.confirmation.again = true;
            return 0;
        }
        (void)err_set(&job->e, ERR_CONFLICT, "another certConf than the one before");
        return job_fail(job, CMP_CERT_CONFIRMED);
    }
    (void)snprintf(job->profile, sizeof(job->profile), "%s", x->profile);
    return 0;
}

int
judge_pollreq(struct job *job)
{
    if (cmp_pollreq_read(job->msg, &job->facts.question.poll_id, &job->failure, &job->e) != 0) {
        return -1;
    }
    if (job->facts.question.poll_id != CMP_POLL_OTHER &&
        job->facts.question.poll_id != job->enrolment.cert_req_id) {
        (void)err_set(&job->e, ERR_INPUT, "pollReq: certReqId is not that of the request");
        return job_say(job, PHRASE_POLL_ID);
    }
    return job->enrolment.body == CMP_GENM ? support_poll(job) : 0;
}

int
judge_error(struct job *job)
{
    struct cmp_status_info said;

    if (cmp_error_read(job->msg, &said, &job->failure, &job->e) != 0) {
        return -1;
    }
    log_event(LOG_WARNING, "client-error", "%s ends its transaction: status %d, failInfo 0x%x, %s",
              job->identity, (int)said.status, said.failures, said.text);
    return 0;
}

int
judge_later_stranger(struct job *job)
{
    const char *what = cmp_body_name(job->body);

    switch (job->owner) {
    case REQUESTS_ANOTHER_KIND:
        return phrase_refuse(&job->failure, PHRASE_OTHER_PROTECTION, &job->e,
                             "%s protected in another way than its request", what);
    case REQUESTS_SAME_KIND:
        return phrase_refuse(&job->failure, PHRASE_OTHER_CREDENTIALS, &job->e,
                             "%s under other credentials than its request", what);
    case REQUESTS_NOBODY:
    case REQUESTS_SELF:
        break;
    }
    (void)phrase_refuse(&job->failure, PHRASE_NO_TRANSACTION, &job->e, "%s without its transaction",
                        what);
    return phrase_value(&job->e, "%s", what);
}
