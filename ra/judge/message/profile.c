/* SPDX-License-Identifier: Apache-2.0 */
#include "ra/judge/message/profile.h"

#include <stdio.h>
#include <string.h>

#include "ca/registration/registration.h"
#include "ca/x509/profile/profiles.h"
#include "ca/x509/profile/wish.h"
#include "ra/judge/own.h"

/* When nobody names one: that of the certificate that signs, else the first registered one. */
static const char *
default_profile(const struct job *job, const struct registration *registration)
{
    return judge_own_profile(job)[0] != '\0' ? judge_own_profile(job)
                                             : registration->profiles[0].profile->name;
}

int
judge_profile_choose(struct job *job, const struct registration *registration)
{
    const struct registered_profile *chosen;
    char wish[CMP_PROFILE_NAME_MAX + 1];
    const char *name = job->route.profile;

    if (cmp_profile_read(job->msg, wish, &job->failure, &job->e) != 0) {
        return -1;
    }
    if (wish[0] != '\0' && name[0] != '\0' && strcmp(wish, name) != 0) {
        (void)err_set(&job->e, ERR_DENIED, "certProfile is %s and the path's profile %s", wish,
                      name);
        return job_say(job, PHRASE_PATH_PROFILE);
    }
    if (wish[0] != '\0') {
        name = wish;
    } else if (name[0] == '\0') {
        name = default_profile(job, registration);
    }
    chosen = registration_profile(registration, name);
    if (chosen == NULL) {
        (void)err_set(&job->e, ERR_DENIED, "profile %s is not registered", name);
        return job_say(job, PHRASE_PROFILE);
    }
    if (job->body == CMP_KUR && job->held.profile[0] != '\0' &&
        strcmp(name, job->held.profile) != 0) {
        (void)err_set(&job->e, ERR_DENIED, "a kur for another profile than its certificate's");
        (void)job_say(job, PHRASE_PROFILE_HELD);
        return phrase_value(&job->e, "%s", job->held.profile);
    }
    /* The window is that of initial certificates; the CA says what a holder may. */
    if (!judge_own_applies(job) &&
        registration_allows(registration, chosen->profile, job->now, &job->e) != 0) {
        return job_say_window(job, registration);
    }
    (void)snprintf(job->profile, sizeof(job->profile), "%s", name);
    return 0;
}

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
