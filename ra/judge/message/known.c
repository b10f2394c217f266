/* SPDX-License-Identifier: Apache-2.0 */
#include "ra/judge/job.h"
#include "ra/judge/message/revoke.h"
#include "ra/judge/own.h"

/* Of a first message that is signed with a certificate of ours: an ir is for the registration that
 * pins it, if there is one; everything else, and any other ir (RFC 9483 4.1.2), for the one under
 * which its holder is registered. */
static int
known_by_own(struct job *job, struct store_db *db, const struct requests_signer *signer,
             struct err *e)
{
    bool found;

    if (requests_certificate_find(db, signer->fingerprint, &job->held, &found, e) != 0) {
        return -1;
    }
    if (job->body == CMP_RR) {
        return judge_revoke_look(job, db, e);
    }
    if (job->body == CMP_IR) {
        if (requests_registration_by_signer(db, signer, &job->registration, &job->registered, e) !=
            0) {
            return -1;
        }
        if (judge_own_is_pinned(job) && !job->registration.cancelled) {
            return 0;
        }
        requests_registration_clear(&job->registration);
    }
    return requests_registration_by_instance(db, job->own_instance, &job->registration,
                                             &job->registered, e);
}

int
judge_known(struct job *job, struct store_db *db, struct err *e)
{
    struct requests_signer signer;

    if (cmp_is_later(job->body)) {
        if (requests_enrolment_find(db, job->identity, cmp_msg_transaction_id(job->msg),
                                    &job->enrolment, &job->owner, e) != 0) {
            return -1;
        }
        job->found = job->owner == REQUESTS_SELF;
        if (!job->found) {
            return 0;
        }
        if (job->body == CMP_CERTCONF &&
            requests_queued(db, job->enrolment.id, span_of(job->rid, sizeof(job->rid)),
                            &job->facts.confirmation.queued, e) != 0) {
            return -1;
        }
        return requests_registration_by_id(db, job->enrolment.registration, &job->registration,
                                           &job->registered, e);
    }
    if (requests_is_seen(db, job->identity, cmp_msg_transaction_id(job->msg), &job->seen, e) != 0) {
        return -1;
    }
    if (job->protection == CMP_PROTECTION_MAC) {
        return requests_registration_by_reference(db, cmp_msg_sender_kid(job->msg),
                                                  &job->registration, &job->registered, e);
    }
    signer = (struct requests_signer){
        .fingerprint = span_of(job->fingerprint, sizeof(job->fingerprint)),
        .public_key = span_of(job->signer_key, sizeof(job->signer_key)),
        .issuer = job->signer_issuer,
        .subject = job->signer_subject,
    };
    return job->own ? known_by_own(job, db, &signer, e)
                    : requests_registration_by_signer(db, &signer, &job->registration,
                                                      &job->registered, e);
}
