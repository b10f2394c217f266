/* SPDX-License-Identifier: Apache-2.0 */
/*
 * own.h - requests that are signed with a certificate of our own issuing CA (RFC 9483 4.1.2
 * to 4.1.4). Private to ra/; runs in workers.
 */
#pragma once

#include "ca/registration/registration.h"
#include "ra/judge/job.h"

/* Does the protection certificate name our issuing CA as issuer? Then job->own, and whose it is in
 * job->own_instance ("" when it is no network function's). Nothing of it is proven yet. */
void judge_own_identify(struct job *);
/* Is what signs the very certificate or key that job->registration names as its proof? */
bool judge_own_is_pinned(const struct job *);
/* Is this message authenticated as one of a holder of ours, and not by a registered proof? Of an ir
 * it is known when its registration was looked up. */
bool judge_own_applies(const struct job *);
/* The path to our root; of a kur's holder as of its end when it ended within expired_renewal_days.
 * signerNotTrusted. */
int judge_own_path(struct job *);
/* How long its certificate can sign something that is taken here: its end, for a kur some days
 * more. 0: not signed with one of ours. */
time_t judge_own_until(const struct job *);
/* May this holder ask for this? wrongIntegrity, notAuthorized. */
int judge_own_right(struct job *);
/* The profile when the path names none: that of the certificate that signs. "": not known. */
const char *judge_own_profile(const struct job *);
/* A kur asks for nothing new: badCertId, notAuthorized. */
int judge_own_wishes(struct job *);
