/* SPDX-License-Identifier: Apache-2.0 */
/*
 * scrub.h - the comparison of ca.db with its record, in steps.
 *
 * A pass compares each leaf with its place in the tree and the rows that it speaks of, then each
 * row with the leaf that it comes from, and how many there are of each. What it counts is what was
 * there at its beginning: rows and leaves that are added while it goes are for the next pass. Then
 * it compares each page of the file with its seal (db/pages/pages.h). It goes on from where it was
 * stored, after a stop, too, and appends no leaf.
 *
 * All of it inside store operations: a struct issuance_scrub belongs to the writer thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "db/issuance/origin.h"

/* A pass that ended. `ended` 0: there was none. */
struct issuance_pass {
    time_t begun;
    time_t ended;
    uint64_t leaves;  /* that there were when it began */
    int64_t requests; /* the same; place of the last one */
};

/* All zero: no pass has begun. */
struct issuance_scrub {
    time_t begun; /* 0: it has not */
    struct origin_ends ends;
    struct compare_seen seen; /* leaves, */
    uint64_t leaf;            /* up to this one */
    int64_t rows[ORIGIN_TABLES];
    enum origin_table table; /* ORIGIN_TABLES: now the pages */
    struct origin_place place;
    uint64_t page; /* the next one */
    struct issuance_pass last;
};

/* What was stored; a new pass when that is nothing, or of another version of this program. */
int issuance_scrub_load(struct store_db *, struct issuance_scrub *, struct err *e);
int issuance_scrub_store(struct store_db *, const struct issuance_scrub *, struct err *e);
/* How much is done at once: leaves and rows, or the time that they take, whichever is over first;
 * one is compared in any case. */
struct issuance_step {
    size_t max;
    int64_t max_us;
    time_t now;
    size_t seen;     /* out: leaves, rows and pages that were compared */
    int64_t took_us; /* out */
    bool ended;      /* out: the pass is over, and is scrub->last; the next step begins another */
};
/* ERR_STALE names what does not agree: table and key, leaf, or page. */
int issuance_scrub_step(struct store_db *, struct issuance_scrub *, struct issuance_step *,
                        struct err *e);

/* A whole pass at once, which goes on behind what does not agree. For pages it wants a store that
 * tells of them (store_options.tell). */
struct issuance_figures {
    uint64_t leaves;
    uint64_t rows;
    uint64_t pages; /* none when they are not sealed */
    uint64_t differences;
};
/* `differs` gets each difference. -1: it could not be compared to its end. */
int issuance_verify(struct store_db *, void (*differs)(void *arg, const char *what), void *arg,
                    struct issuance_figures *, struct err *e);

/* Requests that were decided since the last whole pass began; all when there was none. */
int issuance_scrub_decided(struct store_db *, const struct issuance_scrub *, int64_t *n,
                           struct err *e);
