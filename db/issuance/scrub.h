/* SPDX-License-Identifier: Apache-2.0 */
/*
 * scrub.h - the comparison of ca.db with its record, in steps.
 *
 * A pass compares each leaf with the rows that it speaks of, then each row with the leaf that it
 * comes from, and then how many there are of each. What it counts is what was there at its
 * beginning: rows and leaves that are added while it goes are for the next pass. It reads only.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "db/issuance/origin.h"

/* All zero: no pass has begun. */
struct issuance_scrub {
    bool begun;
    struct origin_ends ends;
    struct compare_seen seen; /* leaves, */
    uint64_t leaf;            /* up to this one */
    int64_t rows[ORIGIN_TABLES];
    enum origin_table table; /* ORIGIN_TABLES: it is over */
    struct origin_place place;
};

/* In an operation's run: compares the next leaf or row; the first call begins a pass. *done when
 * there is nothing left, and the pass is over. ERR_STORE names what does not agree: table and key,
 * or leaf. */
int issuance_scrub_one(struct store_db *, struct issuance_scrub *, bool *done, struct err *e);
