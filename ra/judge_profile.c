/* SPDX-License-Identifier: Apache-2.0 */
#include "ra/judge_profile.h"

#include "ca/x509/profiles.h"
#include "ca/x509/wish.h"

int
judge_profile(struct job *job, const struct profile *profile, const struct nf_identity *nf)
{
    job->failure = CMP_NOT_AUTHORIZED;
    if (profile->signature_only && job->protection == CMP_PROTECTION_MAC) {
        job->phrase = "the profile is for signed requests only";
        return err_set(&job->e, ERR_DENIED, "profile %s: only for requests that are signed",
                       profile->name);
    }
    if (profile_check_key(profile, cmp_certreq_spki(job->certreq), &job->e) != 0) {
        job->failure = CMP_BAD_CERT_TEMPLATE;
        job->phrase = "the profile does not take a key of this kind or size";
        return -1;
    }
    if (wish_check(profile, nf, cmp_certreq_extensions(job->certreq), &job->e) != 0) {
        if (job->e.code == ERR_INPUT) {
            job->failure = CMP_BAD_CERT_TEMPLATE;
            job->phrase = "the profile does not give an extension that is asked for";
        } else {
            job->phrase = "an NF type that is asked for is not registered";
        }
        return -1;
    }
    job->failure = CMP_NO_FAILURE;
    return 0;
}

bool
judge_profile_is_implicit(const struct job *job)
{
    const struct profile *profile = profiles_find(job->ra->settings->profiles, job->profile);

    return profile != NULL && profile->implicit_confirm;
}
