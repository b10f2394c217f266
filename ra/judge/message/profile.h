/* SPDX-License-Identifier: Apache-2.0 */
/*
 * profile.h - which profile a request is for, and what that demands of it, asked early: the CA asks
 * the same again. Private to ra/.
 */
#pragma once

#include "ca/x509/profile/nf.h"
#include "ca/x509/profile/profile.h"
#include "ra/judge/job.h"

/* Which one: that which certProfile names (RFC 9810 5.1.1.4), or the path, who must not disagree;
 * else the default. job->profile, or -1 as below. */
int judge_profile_choose(struct job *, const struct registration *);
/* The kind of the key, the protection, the extensions asked for. -1 with job->failure, job->e
 * and a phrase for the peer: badCertTemplate, notAuthorized. */
int judge_profile(struct job *, const struct profile *, const struct nf_identity *);
/* May the request whose profile is job->profile do without a certConf? */
bool judge_profile_is_implicit(const struct job *);
