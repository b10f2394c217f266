/* SPDX-License-Identifier: Apache-2.0 */
/*
 * edits.h - whoever can write the file of a sealed database: every column of every table is edited,
 * a row of each deleted, copied, swapped with another and put back to what it was. By the schema,
 * so that a new column is not forgotten.
 *
 * Then the file is opened, all that its program asks of it is asked, and what it says is what it
 * said before, until the edit is found: nothing rested on it. What only the scrub finds, and what
 * nobody finds since it changes nothing, is in a list.
 *
 * EDITS=all edits each row and not only one of each table.
 */
#pragma once

#include "db/sealed/sealed.h"

enum edits_found { EDITS_OPEN, EDITS_USE, EDITS_SCRUB, EDITS_NEVER, EDITS_PLACES };

struct edits_allowed {
    const char *table;
    const char *column;  /* NULL: all */
    enum edits_found at; /* at the latest */
    const char *why;
};

struct edits {
    const char *path;     /* where the file is opened */
    const char *original; /* what it is, with two rows in each table, */
    const char *older;    /* and what it was a while before */
    const struct sealed_table *const *tables;
    size_t n;
    /* Found neither at the start nor at a use. */
    const struct edits_allowed *allowed;
    size_t n_allowed;
    /* Tables that are not edited here: something else vouches for them, which the list says. */
    const struct edits_allowed *left_out;
    size_t n_left_out;
    /* Opens the file and asks all; *says is what it said until the edit was found, and `e` what it
     * is. The rows of `inserted`, which may be NULL, are asked for, too: edits_ask_rows(). */
    enum edits_found (*look)(void *arg, const struct sealed_table *inserted, struct buf *says,
                             struct err *e);
    void *arg;
};

/* Fails the test with each edit that something rested on; prints the figures. */
void edits_sweep(const struct edits *);

/* ---- for `look`, in an operation ---- */

/* Each row of this table by its key, as whoever asks for one that somebody inserted. */
int edits_ask_rows(struct store_db *, const struct sealed_table *, struct err *e);
/* One question, undone whatever it did; to `out` goes its name with what `ask` appended, or how it
 * failed. An error that ends the program is the result. */
int edits_ask(struct store_db *, const char *name, unsigned n,
              int (*ask)(void *arg, struct store_db *, struct buf *out, struct err *e), void *arg,
              struct buf *out, struct err *e);
