/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wait.h - the stages in which a message waits for somebody else: STAGE_TURN for its turn in the
 * lane, STAGE_QUEUE for the CA. Private to ra/; on the loop's thread.
 */
#pragma once

#include "ra/transaction/stages.h"

/* Each goes on by itself. */
void wait_turn(struct job *);
/* No longer than sync_wait: then job->answer is what it hears, else the state of its enrolment
 * decides. */
void wait_for_ca(struct job *);
