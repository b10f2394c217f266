/* SPDX-License-Identifier: Apache-2.0 */
/*
 * admit.h - an authenticated message leaves its trace in ra.db: its transactionID always, so that
 * it cannot be replayed; what goes to the CA in the queue, too. Private to ra/.
 *
 * Each function here takes the job over, on the loop's thread, and sees to its answer (reply.h).
 * transactionIdInUse when the message was seen before; then its budget is given back.
 */
#pragma once

#include "ra/job.h"

/* A first message whose transactionID was used before, as job->seen says. */
void admit_repeated(struct job *);
/* A first message that came to nothing: job->failure and job->e. */
void admit_refused(struct job *);
/* A genm whose answer is there. */
void admit_answerable(struct job *);
/* A genm whose answer is not there yet: kept for its polls. */
void admit_question(struct job *);
/* job->part: wrapped, queued, and its answer waited for, no longer than sync_wait. */
void admit_for_ca(struct job *);
