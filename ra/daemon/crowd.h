/* SPDX-License-Identifier: Apache-2.0 */
/*
 * crowd.h - how many may begin something at once, and when who finds no place may come again.
 *
 * What is refused costs next to nothing, so the rate holds however many come. While who is inside
 * is served within CROWD_STAY, there are `max` places; when that takes longer, as many as were
 * served in that time, and never less than an eighth of `max`; all again when nobody is left
 * inside. Who is refused hears a time of his own, one after the other as fast as others were
 * served: so they come back as they can be served, and not all at once. The time is the caller's
 * and never goes back (clock_monotonic_ms()). One thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/mem.h"

enum {
    CROWD_STAY = 1000,   /* ms, that who is inside may take */
    CROWD_WAIT_MAX = 60, /* seconds */
};

struct crowd;
void crowd_free(struct crowd *);
/* Who stays `patience_ms`, or CROWD_STAY if that is longer, was not served. */
struct crowd *crowd_new(size_t max, int patience_ms) OWNED(crowd_free);
DEFINE_CLEANUP(crowd_cleanup, struct crowd, crowd_free)

struct crowd_place {
    int64_t since_ms;
    bool taken;
};

/* 0: the place is taken, until crowd_leave(). Else the seconds until it may come again. */
int crowd_enter(struct crowd *, struct crowd_place *, int64_t now_ms);
/* Nothing when the place was not taken. `telling`: how long it took says how many can be served. */
void crowd_leave(struct crowd *, struct crowd_place *, bool telling, int64_t now_ms);
