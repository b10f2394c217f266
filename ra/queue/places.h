/* SPDX-License-Identifier: Apache-2.0 */
/*
 * places.h - entries whose head is of no use any more take a new place at the end of the queue,
 * under a head of the key that the RA has now: admitted under another key, or for another CA, or by
 * itself before there were heads; or by a clock that was ahead. The network function's octets, and
 * what the RA attests about them, stay; and it says nothing of what this RA has not put there: what
 * is not under a head with its stamp, or wrapped by an RA of its CA (wrapper.h), stays as it is.
 *
 *   worker: ours? what is said of it -> store: another place, one head over all of them -> done
 *
 * Private to ra/; on the loop's thread.
 */
#pragma once

#include "ra/queue/heads.h"

enum { PLACES_MAX = 64 };

/* `head` NULL: from before there were heads. */
bool places_are_needed(const struct ra *, const struct requests_entry *, const struct head *head);

/* How many have another place now. */
typedef void places_done(void *arg, size_t n);

struct places;
/* Filled with places_add(), PLACES_MAX at most; then begun, once. */
struct places *places_new(struct ra *);
/* Takes the entry over; a use of its head of its own. */
void places_add(struct places *, struct requests_entry *, struct head *head);
size_t places_count(const struct places *);
/* `done` comes once, later. What is not ours is logged unless that was so before. */
void places_begin(struct places *, places_done *done, void *arg);
/* Instead. NULL is fine. */
void places_free(struct places *);
