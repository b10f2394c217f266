/* SPDX-License-Identifier: Apache-2.0 */
/* rows.h - the rows of a section, read from the mirror. Private to report/. */
#pragma once

#include "db/audit/query/cells.h"
#include "db/audit/report/report.h"
#include "db/audit/report/sections.h"

/* Steps that a figure over time has. */
struct rows_window {
    int64_t from, step;
    size_t n;
};
/* The whole record, in at most PLOT_POINTS steps of whole days. */
int rows_window(const struct report *, struct rows_window *, struct err *e);
/* What this section has: the record's, or 90 days from now on. */
struct rows_window rows_window_of(const struct report *, const struct section *,
                                  const struct rows_window *record);

/* ERR_STORE; `what` is for its text. The parameters are bound. */
int rows_prepare(const struct report *, const char *what, const char *sql,
                 const struct rows_window *, sqlite3_stmt **, struct err *e);
/* 1: a row; 0: there is none any more; -1. */
int rows_step(const struct report *, const char *what, sqlite3_stmt *, struct err *e);

size_t rows_columns(const struct section *);
/* Told of each row: its cells, and its first column as a number. */
typedef void rows_told(void *arg, const struct section *, int64_t first, const struct cell *,
                       size_t n);
int rows_tell(const struct report *, const struct section *, const struct rows_window *,
              rows_told *, void *arg, struct err *e);
