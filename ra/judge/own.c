/* SPDX-License-Identifier: Apache-2.0 */
#include "ra/judge/own.h"

#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>

#include "base/ossl.h"
#include "ca/cmp/update.h"

enum { DAY = 24 * 60 * 60 };

/* urn:uuid:<nfInstanceId>, which is in each certificate of a network function (TS 33.310 6.1.3c.3).
 */
static void
take_instance(const GENERAL_NAME *name, char out[REQUESTS_NF_SIZE])
{
    static const char prefix[] = "urn:uuid:";
    const size_t n_prefix = sizeof(prefix) - 1;
    const char *text;

    if (name->type != GEN_URI ||
        ASN1_STRING_length(name->d.ia5) != (int)(n_prefix + REQUESTS_NF_SIZE - 1)) {
        return;
    }
    text = (const char *)ASN1_STRING_get0_data(name->d.ia5);
    if (memcmp(text, prefix, n_prefix) == 0) {
        memcpy(out, text + n_prefix, REQUESTS_NF_SIZE - 1);
        out[REQUESTS_NF_SIZE - 1] = '\0';
    }
}

void
judge_own_identify(struct job *job)
{
    CLEANUP(general_names_cleanup) GENERAL_NAMES *names = NULL;

    job->own = X509_NAME_cmp(X509_get_issuer_name(job->signer),
                             X509_get_subject_name(job->ra->credentials.issuing)) == 0;
    if (!job->own) {
        return;
    }
    names = X509_get_ext_d2i(job->signer, NID_subject_alt_name, NULL, NULL);
    for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
        take_instance(sk_GENERAL_NAME_value(names, i), job->own_instance);
    }
}

static enum cmp_body
first_body(const struct job *job)
{
    return job->found ? (enum cmp_body)job->enrolment.body : job->body;
}

bool
judge_own_is_pinned(const struct job *job)
{
    const struct requests_registration *r = &job->registration;
    struct span certificate = span_of(job->fingerprint, sizeof(job->fingerprint));
    struct span key = span_of(job->signer_key, sizeof(job->signer_key));

    return job->registered &&
           ((r->proof == PROOF_CERTIFICATE && span_equal(buf_span(&r->fingerprint), certificate)) ||
            (r->proof == PROOF_PUBLIC_KEY && span_equal(buf_span(&r->public_key), key)));
}

bool
judge_own_applies(const struct job *job)
{
    /* An ir is first of all for a registration that pins what signs it, whoever issued that. */
    return job->own && !(first_body(job) == CMP_IR && judge_own_is_pinned(job));
}

static time_t
end_of(const X509 *certificate)
{
    struct tm tm;

    return ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &tm) == 1 ? timegm(&tm) : 0;
}

time_t
judge_own_until(const struct job *job)
{
    return job->signer == NULL || !job->own
               ? 0
               : end_of(job->signer) + (time_t)job->ra->settings->expired_renewal_days * DAY;
}

int
judge_own_path(struct job *job)
{
    const time_t end = end_of(job->signer);
    const time_t grace = (time_t)job->ra->settings->expired_renewal_days * DAY;
    const bool late = first_body(job) == CMP_KUR && job->now >= end && job->now <= end + grace;

    return trust_check_own(job->ra->credentials.trust, job->msg, job->signer,
                           late ? end - 1 : job->now, &job->failure, &job->e);
}

int
judge_own_right(struct job *job)
{
    if (job->body != CMP_KUR && job->body != CMP_CR) {
        return 0;
    }
    if (job->protection == CMP_PROTECTION_MAC) {
        if (job->body == CMP_CR) {
            return 0; /* RFC 9483 4.1.5 */
        }
        (void)err_set(&job->e, ERR_DENIED, "a kur is signed with what it updates");
        return job_say(job, PHRASE_UPDATE_MAC);
    }
    if (!job->own) {
        (void)err_set(&job->e, ERR_DENIED, "%s signed with a certificate that is not ours",
                      cmp_body_name(job->body));
        (void)job_say(job, PHRASE_NOT_OURS);
        return phrase_value(&job->e, "%s", cmp_body_name(job->body));
    }
    return 0;
}

const char *
judge_own_profile(const struct job *job)
{
    return judge_own_applies(job) ? job->held.profile : "";
}

int
judge_own_wishes(struct job *job)
{
    return job->body != CMP_KUR ? 0
                                : cmp_certreq_check_update(job->facts.enrolment.certreq,
                                                           job->signer, &job->failure, &job->e);
}
