/* SPDX-License-Identifier: Apache-2.0 */
/*
 * revoke.h - requests for a revocation (rr, RFC 9483 4.2, 5.3.2): from the holder of the
 * certificate, from an RA (cmcRA) or from the operator's OAM (a registrar). Private to ra/.
 */
#pragma once

#include "ra/judge/job.h"

/* Stage 1, on a worker: which certificate and why, into job->facts.revocation.revreq. What is wrong
 * with it is said in stage 2, when we know who asks. */
void judge_revoke_form(struct job *);
/* On the store's thread: the certificate that is meant and its registration, as far as we know. */
int judge_revoke_look(struct job *, struct store_db *, struct err *e);
/* Stage 2, after authentication: may this signer revoke this certificate? wrongIntegrity,
 * notAuthorized, badCertId, certRevoked, and what job->facts.revocation.revreq could not be read
 * for. */
int judge_revoke(struct job *);
