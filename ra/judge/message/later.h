/* SPDX-License-Identifier: Apache-2.0 */
/*
 * later.h - messages that continue a transaction: certConf, pollReq, error. On a worker, after the
 * protection. Each is 0, or -1 with job->failure, job->e and perhaps a phrase. Private to ra/.
 */
#pragma once

#include "ra/judge/job.h"

/* RFC 9483 3.5: nobody has begun it, or somebody else has. Protection of another kind is
 * wrongIntegrity; of the same kind it does not verify under the credentials that began it. -1. */
int judge_later_stranger(struct job *);
/* Our last senderNonce, or the one before it, when the last answer got lost on its way. A poll may
 * have none: a client that lost our only answer knows none (RFC 9483 4.4). */
int judge_later_nonce(struct job *);
/* Of a certificate that was issued in this transaction, and still to be confirmed; or says again
 * what one before it said: job->facts.confirmation.again. */
int judge_certconf(struct job *);
/* RFC 9483 4.4: the certReqId of the request, or -1 for the pkiConf and whatever is no certificate.
 */
int judge_pollreq(struct job *);
/* RFC 9483 3.6.1 has no errors of end entities; RFC 9810 5.3.21 has them answered with pkiConf.
 * What it says is for the log, and its transaction is over. */
int judge_error(struct job *);
