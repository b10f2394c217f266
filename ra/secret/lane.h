/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lane.h - where keys are derived that cost much, so that whoever asks for them takes no time from
 * anybody else: one at a time, and at most a quarter of one core for all of them together.
 *
 * A turn lasts LANE_SHARE times as long as deriving takes here, and its end is the first that
 * anybody hears of it. A turn of nobody - there is no such reference, or it is cancelled - lasts
 * as long as is foreseen and computes nothing: neither the answer's time nor its place in the queue
 * shows which it was. How long it takes is measured at the start, with a margin. What takes longer
 * all the same has a longer turn, so that the quarter holds, and lengthens all turns of its kind
 * for a while: only there, on a processor that has become slower, can a turn show that it was
 * somebody's. Who waits: at most LANE_WAITING_MAX turns, LANE_ADDRESS_MAX of one address
 * (http/address.h), and LANE_REFERENCE_MAX of one reference, known or not. Addresses come in turn,
 * by what they cost (start-time fair queueing). Where there is no place, the address that holds
 * most of them gives one to an address that holds two less. Nobody waits longer than LANE_WAIT_MS,
 * which is less than clients wait: then it is turned away, as it would have been at once, and may
 * come again. On the loop's thread; deriving is on a thread of the lane's own.
 */
#pragma once

#include "base/http/address.h"
#include "base/pool.h"
#include "ca/cmp/protection/mac_algorithm.h"

struct event_base;
struct lane;

enum {
    LANE_STEPS_MIN = CMP_MAC_COUNT_MAX + 1, /* what costs less is derived by any worker */
    LANE_SHARE = 4,                         /* a quarter of a core */
    LANE_WAITING_MAX = 64,
    LANE_ADDRESS_MAX = 16,
    LANE_REFERENCE_MAX = 8,
    LANE_WAIT_MS = 60 * 1000,
};

/* Embedded in the job of the one who asks; filled by it, down to `done`. */
struct lane_turn {
    struct cmp_mac_work work;
    struct http_address address;
    const char *reference; /* borrowed until `done` */
    bool nobody;           /* time passes, nothing is computed */
    void (*derive)(struct lane_turn *);
    bool (*gone)(struct lane_turn *); /* nobody waits for it any more; NULL: never */
    void (*done)(struct lane_turn *);
    int retry_after; /* for `done`: 0: it had its turn; else seconds after which to come again */

    /* The lane's own. */
    struct lane *lane;
    struct task task;
    int64_t since_ms;
    int64_t
        start;   /* when it would begin if its address were alone with a core, and when it would */
    int64_t end; /* end; in ns of that core */
    int64_t cpu_ns;
};

/* With nobody in it. */
void lane_free(struct lane *);
/* Measures for some ms. `wait_ms`: 0: LANE_WAIT_MS. */
struct lane *lane_new(struct event_base *, struct tasks *finished, int64_t wait_ms, struct err *e)
    OWNED(lane_free);
DEFINE_CLEANUP(lane_cleanup, struct lane, lane_free)

/* Does it belong here? */
bool lane_is_for(const struct cmp_mac_work *);
/* `done` is called later, once; may call that of somebody who is turned away for this one. When
 * there is no place: the seconds after which to come again, and nothing else happens. */
int lane_enter(struct lane *, struct lane_turn *);
/* From now on everybody is turned away; whose turn it is finishes it. */
void lane_stop(struct lane *);
/* How many wait. */
size_t lane_waiting(const struct lane *);
/* What a turn of this work lasts, in ms. */
int64_t lane_turn_ms(const struct lane *, const struct cmp_mac_work *);
