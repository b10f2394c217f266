/* SPDX-License-Identifier: Apache-2.0 */
/* cells.h - a row of SQLite's as cells of an answer. */
#pragma once

#include <sqlite3.h>

#include "db/audit/out/sink.h"

struct cells {
    struct cell cell[SINK_COLUMNS];
    char *hex[SINK_COLUMNS];
};
/* Zeroed is empty; for CLEANUP. */
void cells_free(struct cells *);
/* The first n columns of the row: octets as hex. Borrowed until the statement steps on. */
void cells_read(struct cells *, sqlite3_stmt *, size_t n);

/* One statement. ERR_STORE with SQLite's words. */
int statement_prepare(sqlite3 *, const char *sql, sqlite3_stmt **, struct err *e);
/* The same, and it runs to its end. */
int statement_run(sqlite3 *, const char *sql, struct err *e);
/* What its last step gave: 0 when that was its end, else ERR_STORE. */
int statement_ended(sqlite3_stmt *, int rc, struct err *e);
/* For CLEANUP. */
void statement_cleanup(sqlite3_stmt **);
