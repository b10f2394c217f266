/* SPDX-License-Identifier: Apache-2.0 */
/* table.h - nfpki-ractl before a daemon that is a table: what it asks is compared, and the answer
 * is what the table says. */
#pragma once

#include "base/buf.h"

enum { ARGS_MAX = 10, ASKED_MAX = 5 };

/* In all of them "@" is the test's folder. */
struct row {
    const char *args[ARGS_MAX];
    /* What the daemon says: JSON; "!input:why", a refusal; "{"row":...}" lines before an answer are
     * its rows; "BUNDLE" and "KEY" are what it says of a registration by a secret, by a key. */
    const char *answers[ASKED_MAX];
    const char *asked[ASKED_MAX]; /* exactly; an attachment stands behind "+" */
    int status;
    const char *out;
    const char *errors;
};

/* For cmocka: *state is a struct table. */
struct table;
int table_set_up(void **state);
int table_tear_down(void **state);

/* How it is run, besides: nothing that it writes fits, or its standard output takes nothing. */
enum ground { GOOD, NO_ROOM, FULL };

/* Runs the program; fails the test unless it asks and says what stands in the row. */
void table_run(struct table *, const struct row *, enum ground);
void table_run_all(struct table *, const struct row *, size_t n);

/* The text with the folder in place of "@"; mem_free() it. */
char *table_placed(const struct table *, const char *text);
void table_put(const struct table *, const char *name, struct span octets);
/* It has this content and is nobody else's; NULL: there is none. */
void table_expect_file(const struct table *, const char *name, const char *content);
