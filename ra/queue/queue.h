/* SPDX-License-Identifier: Apache-2.0 */
/*
 * queue.h - the RA's durable queue on its way over the link, and the answers on their way back.
 *
 * Does: send every entry of ra.db that has no answer, one frame per entry at a time, again after
 * each new connection and each BUSY; make answers durable, then tell who waits.
 * Does not: admit entries (transaction/admit.c does, in its own store op).
 * Everything runs on the loop's thread. Callbacks are never called from inside a function here.
 */
#pragma once

#include "ra/daemon/ra.h"
#include "ra/queue/asks.h"
#include "ra/queue/flights.h"
#include "ra/queue/heads.h"

struct queue;

struct queue_options {
    struct ra *ra;
    /* The first WELCOME, and whether the CA's certificates are ours: the RA may be ready now. */
    void (*up)(void *arg);
    void *arg;
};

void queue_free(struct queue *);
struct queue *queue_new(const struct queue_options *, struct err *e) OWNED(queue_free);
DEFINE_CLEANUP(queue_cleanup, struct queue, queue_free)

/* An entry that was committed, whose head is signed. `waiter` gets the answer unless queue_forget()
 * comes first. */
void queue_admitted(struct queue *, const struct queue_item *, flight_waiter *waiter, void *arg);
/* One that was committed, and whose head could not be signed: it is looked at again. */
void queue_left(struct queue *, const struct err *why);
/* One that is about to leave the queue is not sent from now on, until that is done. False: it is on
 * the wire already. */
bool queue_withdraw(struct queue *, const uint8_t rid[REQUESTS_RID_SIZE]);
void queue_withdrawn(struct queue *, const uint8_t rid[REQUESTS_RID_SIZE]);
/* Whoever waited for this one does not any more. */
void queue_forget(struct queue *, const uint8_t rid[REQUESTS_RID_SIZE]);
/* The CA has confirmed it, and that is not stored yet. */
bool queue_is_confirmed(const struct queue *, int64_t enrolment);
bool queue_is_up(const struct queue *);
/* For status: "up"; "down"; "held": there is a CA, and it gets nothing, for it is not ours or an
 * older copy. `since`: of this state; the start, when there was no other. */
struct queue_link {
    const char *state;
    time_t since;
};
struct queue_link queue_link(const struct queue *);
/* What is to be sent is looked for, or what was seen of the CA's log is kept: queue_free() must
 * wait. */
bool queue_is_busy(const struct queue *);

/* ---- not in the queue: REGISTER, CANCEL, ROLE, REPORT: somebody waits for the answer ---- */

/* ERR_BUSY when the link is down or somebody asks the same already. */
int queue_ask(struct queue *, const struct link_message *, ask_reply *reply, void *arg,
              struct err *e);
