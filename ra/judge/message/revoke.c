/* SPDX-License-Identifier: Apache-2.0 */
#include "ra/judge/message/revoke.h"

#include <stdio.h>
#include <string.h>

#include "base/ossl.h"
#include "ca/x509/path/path.h"

static int
fail(struct job *job, enum phrase phrase, const char *why)
{
    return phrase_refuse(&job->failure, phrase, &job->e, "%s", why);
}

static struct span
serial_of(const struct job *job)
{
    return span_of(job->facts.revocation.revreq.serial, job->facts.revocation.revreq.serial_size);
}

void
judge_revoke_form(struct job *job)
{
    (void)cmp_revreq_read(job->msg, X509_get_subject_name(job->ra->credentials.issuing),
                          &job->facts.revocation.revreq, &job->facts.revocation.failure,
                          &job->facts.revocation.e);
}

int
judge_revoke_look(struct job *job, struct store_db *db, struct err *e)
{
    bool found = false;

    if (job->facts.revocation.failure == CMP_NO_FAILURE &&
        requests_certificate_by_serial(db, serial_of(job), &job->facts.revocation.target, &found,
                                       e) != 0) {
        return -1;
    }
    if (job->own_instance[0] != '\0') {
        return requests_registration_by_instance(db, job->own_instance, &job->registration,
                                                 &job->registered, e);
    }
    return !found ? 0
                  : requests_registration_by_id(db, job->facts.revocation.target.registration,
                                                &job->registration, &job->registered, e);
}

static bool
is_own_certificate(const struct job *job)
{
    const ASN1_INTEGER *serial = X509_get0_serialNumber(job->signer);

    return span_equal(span_of(ASN1_STRING_get0_data(serial), (size_t)ASN1_STRING_length(serial)),
                      serial_of(job));
}

/* A network function speaks for its own certificate, an RA and a registrar for those of all of
 * them. Which of our people signed is in the record of the CA, which decides. */
static int
check_signer(struct job *job)
{
    struct err e = {0};

    if (!job->own) {
        (void)fail(job, PHRASE_NOT_OURS, "rr signed with a certificate that is not ours");
        return phrase_value(&job->e, "rr");
    }
    if (job->own_instance[0] != '\0') {
        if (is_own_certificate(job)) {
            /* Of another's the CA knows the key. */
            return cmp_revreq_check_key(&job->facts.revocation.revreq, job->signer_key,
                                        &job->failure, &job->e);
        }
        return job->facts.revocation.target.serial_size > 0
                   ? fail(job, PHRASE_REVOKE_OTHERS, "rr for somebody else's certificate")
                   : fail(job, PHRASE_REVOKE_UNKNOWN, "rr for a certificate that is not known");
    }
    if (path_check_purpose(job->signer, PATH_RA_CMP, &e) != 0 &&
        path_check_purpose(job->signer, PATH_PERSON, &e) != 0) {
        return fail(job, PHRASE_REVOKE_OTHERS, "rr signed by neither an RA nor a registrar");
    }
    return 0;
}

int
judge_revoke(struct job *job)
{
    if (job->protection != CMP_PROTECTION_SIGNATURE) {
        return fail(job, PHRASE_REVOKE_MAC, "an rr is signed");
    }
    if (job->facts.revocation.failure != CMP_NO_FAILURE) {
        job->e = job->facts.revocation.e;
        job->failure = job->facts.revocation.failure;
        return -1;
    }
    if (check_signer(job) != 0) {
        return -1;
    }
    if (!job->registered) {
        return fail(job, PHRASE_REVOKE_UNKNOWN, "rr for a certificate that is not known");
    }
    if (job->facts.revocation.target.revoked) {
        return fail(job, PHRASE_REVOKE_AGAIN, "rr for what is revoked already");
    }
    (void)snprintf(job->profile, sizeof(job->profile), "%s",
                   job->facts.revocation.target.profile[0] != '\0'
                       ? job->facts.revocation.target.profile
                       : "revocation");
    return 0;
}
