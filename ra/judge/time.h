/* SPDX-License-Identifier: Apache-2.0 */
/*
 * time.h - is messageTime near the time here (RFC 9483 3.5)? Seen with the form of the
 * message, told after who sent it is known: by how much the clocks differ is for the one whose
 * clock it is. Private to ra/.
 */
#pragma once

#include "ra/judge/job.h"

/* With the form: notes in job->untimely whether the message is outside the window. */
void judge_time_see(struct job *);
/* Its protection did not verify, or it goes on with nothing: badTime without a word more when the
 * message is untimely, else the failure that there is. -1. */
int judge_time_stranger(struct job *);
/* Its protection did: 0, or badTime and a phrase that says what differs. */
int judge_time(struct job *);
