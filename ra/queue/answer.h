/* SPDX-License-Identifier: Apache-2.0 */
/*
 * answer.h - answers of the CA on their way into ra.db. Private to ra/; on the loop's thread.
 *
 * What the link brings at once is one operation of the store: one commit, whatever becomes of each.
 * For CONFIRMED nobody waits: what is lost of it the CA says again. So that rests until something
 * else is written.
 */
#pragma once

#include "ca/link/msg.h"
#include "ra/queue/flights.h"

struct queue_answer;
/* It is committed, or that failed. Borrowed during the call. */
typedef void queue_answer_stored(void *arg, const struct queue_answer *);

struct queue_answer {
    struct queue_answer *next;
    int result; /* of storing it */
    struct err e;
    enum link_type type;
    uint8_t rid[REQUESTS_RID_SIZE];
    int64_t enrolment;    /* 0: not known */
    int64_t confirm_wait; /* > 0: who waits has it next; or by a poll, when nobody does any more */
    struct buf certificate;
    struct requests_certificate delivered; /* ISSUED */
    int fail_info;
    int check_after;
    char phrase[REQUESTS_PHRASE_SIZE];
    struct requests_asked asked; /* with its enrolment as it is now, when `found` */
    bool found;
};

/* Those that were not given to the store yet. */
struct queue_round;
struct queue_answers {
    struct store *store;
    queue_answer_stored *stored;
    void *arg;
    struct queue_answer *first, *last; /* all zero: none */
    struct queue_round *resting;       /* those that the store has, and may keep for a while */
};
void queue_answers_clear(struct queue_answers *);
/* ISSUED, CONFIRMED, REVOKED, REFUSED, WAITING or DEFERRED, with the id of an entry, whose flight
 * this is (NULL: it has none). A certificate that cannot be read is logged, and that is all. */
void queue_answers_add(struct queue_answers *, const struct link_message *, const struct flight *);
/* All of them, in this order; each is `stored` then. */
void queue_answers_store(struct queue_answers *);
/* What rests has CONFIRMED of this enrolment. */
bool queue_answers_confirmed(const struct queue_answers *, int64_t enrolment);
