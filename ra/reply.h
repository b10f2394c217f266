/* SPDX-License-Identifier: Apache-2.0 */
/*
 * reply.h - what was decided about a message becomes its one answer: built by a worker, signed by
 * the signer, its nonce stored, sent. Private to ra/.
 *
 * Each function here takes the job over, on the loop's thread: it is gone when the answer is out,
 * and the caller does not touch it any more. When no answer can be made, HTTP alone says so.
 */
#pragma once

#include "ra/job.h"

/* An answer of this kind. */
void reply_with(struct job *, enum answer_kind);
/* What the enrolment is now decides which. */
void reply_by_state(struct job *);
/* The failure in job->failure; job->e is logged. */
void reply_failure(struct job *);
/* The same with these. */
void reply_fail(struct job *, enum cmp_failure, const struct err *why);
/* An answer that the RA signs can be verified now; one with a MAC always can. */
bool reply_is_verifiable(struct job *);
/* None: HTTP 503 alone, and nothing that keeps the same octets from coming again. `why` NULL: for
 * our certificate, which is logged where it is looked at. */
void reply_unsigned(struct job *, const struct err *why);
/* What the store says no to, unexpectedly: job->op.e. Only ERR_STORE means that the file cannot be
 * used, and ends the process. */
void reply_store_failed(struct job *);
