/* SPDX-License-Identifier: Apache-2.0 */
/*
 * page_scrub.h - each page of ra.db is compared with its seal, over and over: a few in a store
 * operation, with pauses, so that nobody waits for it. What is read is compared anyway; this is for
 * what nobody reads.
 *
 * A page that somebody else wrote ends the program, as a database that fails does. A start begins a
 * pass anew.
 */
#pragma once

#include "ra/daemon/ra.h"

struct page_scrub;
/* The loop is over. */
void page_scrub_free(struct page_scrub *);
/* Begins at once, and does nothing where pages are not sealed. */
struct page_scrub *page_scrub_new(struct ra *) OWNED(page_scrub_free);
/* No other step begins. */
void page_scrub_stop(struct page_scrub *);
bool page_scrub_is_busy(const struct page_scrub *);

/* What it has done since the start; times are 0 for never. */
struct page_scrub_status {
    uint64_t seen; /* pages of the pass that is under way; 0: none is */
    time_t begun;  /* of that pass */
    struct {
        uint64_t seen;
        time_t begun;
        time_t ended;
    } last; /* whole pass */
};
/* As the last step left it: asks nobody. */
struct page_scrub_status page_scrub_status(const struct page_scrub *);
