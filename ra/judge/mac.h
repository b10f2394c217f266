/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mac.h - does whoever protected the message have the registration's one-time secret? Private
 * to ra/.
 *
 * With job->registered and job->registration as the database has them. Its key comes from the cache
 * of transactions under way (secret/mac_cache.h), or is derived: by the worker that verifies, or,
 * when that costs much, in the lane before. An unknown or cancelled reference and a wrong MAC take
 * the same time and get the same answer: badMessageCheck.
 */
#pragma once

#include "ra/judge/job.h"

/* Is it to have a turn in the lane first (secret/lane.h)? On the loop's thread, with what the
 * database knows; finds the key where it was derived before, and fills job->turn. */
bool judge_mac_wants_turn(struct job *);
/* In the lane: job->key; NULL with job->failure and job->e. */
void judge_mac_derive(struct job *);
/* On a worker. On success job->authenticated, and job->key is kept for the answer; else -1 with
 * job->failure and job->e. */
int judge_mac(struct job *);
