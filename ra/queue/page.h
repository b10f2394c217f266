/* SPDX-License-Identifier: Apache-2.0 */
/*
 * page.h - what the pump reads of the queue at once: entries without an answer, in order, and the
 * heads over them. Private to pump.c.
 */
#pragma once

#include "ra/queue/flights.h"
#include "ra/queue/heads.h"
#include "ra/queue/places.h"

enum { PAGE_MAX = PLACES_MAX };

struct page_entry {
    struct requests_entry entry;
    size_t row;        /* of `rows`; of none when `entry` is from before there were heads */
    struct head *head; /* page_look(); NULL: none */
    bool left;         /* it is none of this run's */
};

struct page {
    struct page_entry all[PAGE_MAX]; /* all zero: empty */
    size_t n;
    struct requests_head rows[PAGE_MAX]; /* each head once */
    size_t n_rows;
    int64_t rests_until; /* the first of those that rest; 0: none does */
};

/* On the store's thread, into an empty one: behind this sequence. `everything`: also what the CA
 * keeps waiting. */
int page_read(struct page *, struct store_db *, uint64_t after, bool everything, struct err *e);
/* Finds the heads as they are known, and leaves what is on its way, or is withdrawn. False: one
 * cannot be read, which was logged, and its entries are left, too. */
bool page_look(struct page *, struct ra *, struct flights *);
void page_clear(struct page *, struct ra *);
