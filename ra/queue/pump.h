/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pump.h - reads what has no answer from ra.db, in order, and sends what is not on the wire
 * (flights.h). It runs after each WELCOME, a while after each BUSY, and when the CA is to be asked
 * again about what it keeps WAITING for people: such an entry is as one without an answer, but
 * rests meanwhile. Entries admitted while the pump rests are sent directly: their commit came after
 * its last look, so it has not seen them, and nobody else will.
 *
 * What it reads is sent when its head is signed (heads.h); else the heads are signed first, and it
 * reads again: it holds no entry meanwhile, for one may be withdrawn. What needs another place gets
 * that first (places.h).
 *
 * Private to queue.c; on the loop's thread.
 */
#pragma once

#include "ca/link/client.h"
#include "ra/daemon/ra.h"
#include "ra/queue/flights.h"
#include "ra/queue/heads.h"

struct pump;
/* Not while it is running. */
void pump_free(struct pump *);
/* Borrows all three. */
struct pump *pump_new(struct ra *, struct link_client *, struct flights *) OWNED(pump_free);

/* A CA that is not ours gets nothing: requests wait for the right one. */
void pump_hold(struct pump *, bool held);
bool pump_is_held(const struct pump *);
/* Not held, and the link is up. */
bool pump_is_usable(const struct pump *);
/* The store, a worker or the signer has something of it: pump_free() must wait. */
bool pump_is_running(const struct pump *);

/* From the beginning; `everything`: also what the CA keeps waiting. When a run is under way,
 * another follows it. */
void pump_start(struct pump *, bool everything);
/* The CA is busy. */
void pump_later(struct pump *);
/* What the CA keeps waiting comes to its end unasked; this is for an answer that got lost. */
void pump_ask_later(struct pump *, int seconds);
/* An entry stays, for its head could not be signed: what nobody signs is not asked for over and
 * over, what waits for the signer soon. */
void pump_left(struct pump *, const struct err *why);
/* An entry that was committed, and whose head is signed just now. */
void pump_admitted(struct pump *, const struct queue_item *);
