/* SPDX-License-Identifier: Apache-2.0 */
#include "ra/judge/profile.h"

#include "ca/x509/profile/profiles.h"
#include "ca/x509/profile/wish.h"

int
judge_profile(struct job *job, const struct profile *profile, const struct nf_identity *nf)
{
    if (profile->signature_only && job->protection == CMP_PROTECTION_MAC) {
        (void)err_set(&job->e, ERR_DENIED, "profile %s: only for requests that are signed",
                      profile->name);
        return job_say(job, PHRASE_SIGNED_ONLY);
    }
    if (profile_check_key(profile, cmp_certreq_spki(job->facts.enrolment.certreq), &job->e) != 0) {
        return job_say(job, PHRASE_KEY_PROFILE);
    }
    if (wish_check(profile, nf, cmp_certreq_extensions(job->facts.enrolment.certreq), &job->e) !=
        0) {
        return job_say(job, job->e.code == ERR_INPUT ? PHRASE_EXTENSION : PHRASE_NF_TYPE);
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
