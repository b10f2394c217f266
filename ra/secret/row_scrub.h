/* SPDX-License-Identifier: Apache-2.0 */
/*
 * row_scrub.h - each row of ra.db is looked at, over and over, whether its seal is its own and
 * whether it has one: a few rows in a store operation, with pauses, so that nobody waits for it.
 *
 * A row that somebody else wrote ends the program, as a database that fails does. A start begins a
 * pass anew: what decides is looked at when it is used, whatever the scrub has seen.
 */
#pragma once

#include "ra/daemon/ra.h"

struct row_scrub;
/* The loop is over. */
void row_scrub_free(struct row_scrub *);
/* Begins at once, and does nothing where rows are not sealed. */
struct row_scrub *row_scrub_new(struct ra *) OWNED(row_scrub_free);
/* No other step begins. */
void row_scrub_stop(struct row_scrub *);
bool row_scrub_is_busy(const struct row_scrub *);

/* What it has done since the start; times are 0 for never. */
struct row_scrub_status {
    const char *at; /* "rest"; "seal", or the table whose rows have their turn */
    uint64_t seen;  /* rows and seals of the pass that is under way */
    time_t begun;   /* of that pass */
    struct {
        uint64_t seen;
        time_t begun;
        time_t ended;
    } last; /* whole pass */
};
/* As the last step left it: asks nobody. */
struct row_scrub_status row_scrub_status(const struct row_scrub *);
