/* SPDX-License-Identifier: Apache-2.0 */
/*
 * edited.h - whoever can write the file of a sealed database: every column of every table is
 * edited, a row of each deleted, copied, swapped with another and put back to what it was. By the
 * schema, so that a new column is not forgotten. Each page, too, is put back to what it was.
 *
 * SQLite writes the first page with each edit, and a start would find that: it is put back, so that
 * only the pages that the edit is in are other ones.
 *
 * Then the file is opened, all that its program asks of it is asked, and what it says is what it
 * said before, until the edit is found: nothing rested on it. What only the scrub finds is in a
 * list.
 *
 * EDITS=all edits each row and not only one of each table.
 */
#pragma once

#include "db/store/store.h"

enum edited_found { EDITED_OPEN, EDITED_USE, EDITED_SCRUB, EDITED_NEVER, EDITED_PLACES };

struct edited_allowed {
    const char *table;
    const char *column;   /* NULL: all */
    enum edited_found at; /* at the latest */
    const char *why;
};

struct edited {
    const char *path;     /* where the file is opened */
    const char *original; /* what it is, with two rows in each table, its seals beside it, */
    const char *older;    /* and what it was a while before */
    /* Found neither at the start nor at a use. */
    const struct edited_allowed *allowed;
    size_t n_allowed;
    /* Tables that are not edited here: something else vouches for them, which the list says. */
    const struct edited_allowed *left_out;
    size_t n_left_out;
    /* Opens the file and asks all; *says is what it said until the edit was found, and `e` what it
     * is. */
    enum edited_found (*look)(void *arg, struct buf *says, struct err *e);
    void *arg;
};

/* Fails the test with each edit that something rested on; prints the figures. */
void edited_sweep(const struct edited *);

/* ---- for `look`, in an operation ---- */

/* One question, undone whatever it did; to `out` goes its name with what `ask` appended, or how it
 * failed. An error that ends the program is the result. */
int edited_ask(struct store_db *, const char *name, unsigned n,
               int (*ask)(void *arg, struct store_db *, struct buf *out, struct err *e), void *arg,
               struct buf *out, struct err *e);
