/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stages.h - where a message is on its way through the RA.
 *
 *   form -> known -> turn -> judge -> admit -> wrap -> queue -> build -> protect -> sent -> excuse
 *        -> protect-excuse -> forget -> reply
 *
 * transaction.c has the table, and which thread does what; kind.h what kinds of messages there are,
 * and which of the stages each goes through. Whoever has a message says where it goes next: always
 * later than where it is. Private to ra/.
 */
#pragma once

#include "ra/judge/job.h"

enum message_stage {
    STAGE_FORM,  /* worker: its form; which kind it is */
    STAGE_KNOWN, /* store: what ra.db has of who it says it is, and of its transaction */
    STAGE_TURN,  /* secret/lane.h: a MAC key that costs much */
    STAGE_JUDGE, /* worker: who asks; of a later message also what it goes on with, of a first one,
                    when its registration has paid, what is asked */
    STAGE_ADMIT, /* store: its trace, and its place in the queue, under a head */
    STAGE_WRAP,  /* signer: that head, once for all that are under it */
    STAGE_QUEUE, /* link: the CA, no longer than sync_wait */
    STAGE_BUILD, /* worker: the answer */
    STAGE_PROTECT, /* signer; a MAC is made with the answer */
    STAGE_SENT,    /* store: our senderNonce */
    STAGE_EXCUSE,  /* these two once more, for an answer that could not be made: an error */
    STAGE_PROTECT_EXCUSE,
    STAGE_FORGET, /* store: what nobody could be told */
    STAGE_REPLY,
    MESSAGE_STAGES
};

/* One goes on, whatever becomes of the others. On the loop's thread. */
static inline void
message_go_on(struct job *job, enum message_stage next)
{
    struct batch one = {0};

    job->step.stage = next;
    batch_add(&one, &job->step);
    pipeline_return(job->ra->messages, &one);
}
