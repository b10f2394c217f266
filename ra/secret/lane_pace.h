/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lane_pace.h - how long one step of a derivation takes here (lane.h). Private to the lane.
 *
 * Foreseen is a quarter more than was measured at the start, so that next to every derivation takes
 * less than that. One that takes more raises it for everybody, and only the time lowers it again:
 * it does not show what was derived since.
 */
#pragma once

#include "ca/cmp/protection/mac_algorithm.h"

struct lane_pace {
    int64_t measured_ps; /* a step, in 10^-12 s */
    int64_t foreseen_ps;
    int64_t raised_until_ms;
};

/* What this thread has had of a processor. */
int64_t lane_pace_cpu_ns(void);
/* Works for some ms. */
int lane_pace_measure(struct lane_pace *, unsigned kind, struct err *e);
int64_t lane_pace_ns(const struct lane_pace *, uint64_t steps);
/* Somebody's took longer than foreseen: the processor is slower now than it was at the start. */
void lane_pace_raise(struct lane_pace *, int64_t now_ms);
/* What was raised ten minutes ago is lowered. */
void lane_pace_settle(struct lane_pace *, int64_t now_ms);
