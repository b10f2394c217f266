/* SPDX-License-Identifier: Apache-2.0 */
/*
 * profile.h - what the profile demands of a request, asked early: the CA asks the same again.
 * Private to ra/.
 */
#pragma once

#include "ca/x509/profile/nf.h"
#include "ca/x509/profile/profile.h"
#include "ra/judge/job.h"

/* The kind of the key, the protection, the extensions asked for. -1 with job->failure, job->e
 * and a phrase for the peer: badCertTemplate, notAuthorized. */
int judge_profile(struct job *, const struct profile *, const struct nf_identity *);
/* May the request whose profile is job->profile do without a certConf? */
bool judge_profile_is_implicit(const struct job *);
