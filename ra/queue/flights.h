/* SPDX-License-Identifier: Apache-2.0 */
/*
 * flights.h - which queue entries are on the wire or waited for. Private to ra/; on the loop's
 * thread. A flight is one such entry:
 *
 *   admitted --link up--> on the wire --answer--> being stored --committed--> waiter, gone
 *       ^---- link down, BUSY, DEFERRED -----/
 *
 * What is withdrawn is kept, too, until its row is gone: who read that before must not send it.
 * Ownership: the table owns the flights; one is borrowed until the next call that may remove it.
 */
#pragma once

#include "db/requests/requests.h"

enum { FLIGHTS_BUCKETS = 4096 };

/* The stored answer: what the enrolment is now; QUEUED still when the CA waits for people. Borrowed
 * during the call. NULL: CONFIRMED, to what stands, and not stored yet. */
typedef void flight_waiter(void *arg, const struct requests_enrolment *);

struct flight {
    struct flight *next;
    uint8_t rid[REQUESTS_RID_SIZE];
    int64_t enrolment; /* whose it is; 0 before it was sent */
    bool on_wire;
    bool withdrawn;        /* it is about to leave the queue, and not to be sent */
    flight_waiter *waiter; /* NULL: nobody waits */
    void *arg;
    int64_t confirm_wait; /* of the waiter (heads.h: queue_item), as the next */
    bool stands;
};

struct flights {
    struct flight *buckets[FLIGHTS_BUCKETS]; /* all zero: empty */
};

void flights_clear(struct flights *);
/* NULL: there is none. */
struct flight *flights_find(struct flights *, const uint8_t rid[REQUESTS_RID_SIZE]);
/* Makes one when there is none. */
struct flight *flights_get(struct flights *, const uint8_t rid[REQUESTS_RID_SIZE]);
/* None there is fine for both. Idle: neither on the wire nor waited for nor
 * withdrawn. */
void flights_remove(struct flights *, const uint8_t rid[REQUESTS_RID_SIZE]);
void flights_remove_if_idle(struct flights *, const uint8_t rid[REQUESTS_RID_SIZE]);
/* The link went away: nothing is on the wire any more. */
void flights_land(struct flights *);
