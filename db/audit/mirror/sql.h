/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sql.h - the mirror's connection to SQLite: statements are prepared once and kept. One thread.
 *
 * Reasons are ERR_STORE, with SQLite's words and the file; ERR_BUSY when another process writes it,
 * ERR_NOTFOUND and ERR_DENIED when it is not there, or no database.
 */
#pragma once

#include <sqlite3.h>

#include "base/buf.h"

struct sql;
void sql_close(struct sql *);
/* `flags` are SQLite's. What was opened is defensive, and loads no code. */
struct sql *sql_open(const char *path, int flags, struct err *e) OWNED(sql_close);
DEFINE_CLEANUP(sql_cleanup, struct sql, sql_close)
sqlite3 *sql_handle(const struct sql *);
const char *sql_path(const struct sql *);

enum sql_type { SQL_NULL, SQL_INT, SQL_TEXT, SQL_OCTETS };
struct sql_value {
    enum sql_type type;
    int64_t number;
    struct span bytes; /* borrowed until the statement ends */
};

static inline struct sql_value
sql_int(int64_t number)
{
    return (struct sql_value){.type = SQL_INT, .number = number};
}

/* NULL becomes NULL. */
static inline struct sql_value
sql_text(const char *text)
{
    return text == NULL ? (struct sql_value){.type = SQL_NULL}
                        : (struct sql_value){.type = SQL_TEXT, .bytes = span_str(text)};
}

static inline struct sql_value
sql_text_n(struct span text)
{
    return (struct sql_value){.type = SQL_TEXT, .bytes = text};
}

static inline struct sql_value
sql_octets(struct span bytes)
{
    return (struct sql_value){.type = SQL_OCTETS, .bytes = bytes};
}

static inline struct sql_value
sql_null(void)
{
    return (struct sql_value){.type = SQL_NULL};
}

/* The values for ?1, ?2, ...: two arguments at once. */
#define SQL_VALUES(...)                                                                            \
    ((const struct sql_value[]){__VA_ARGS__}),                                                     \
        (sizeof((const struct sql_value[]){__VA_ARGS__}) / sizeof(struct sql_value))
#define SQL_NO_VALUES NULL, 0

/* Any number of statements without rows, prepared for this once. */
int sql_script(struct sql *, const char *script, struct err *e);
/* One statement that gives no rows. `text` is constant: what was prepared is kept by its address.
 */
int sql_exec(struct sql *, const char *text, const struct sql_value *, size_t n, struct err *e);
/* Rows that the last one changed. */
int64_t sql_changes(const struct sql *);

/* The first row of a query, *row false when it has none; NULL + e. Borrowed, for SQLite's column
 * functions, until sql_end(). */
sqlite3_stmt *sql_query(struct sql *, const char *text, const struct sql_value *, size_t n,
                        bool *row, struct err *e);
int sql_next(struct sql *, sqlite3_stmt *, bool *row, struct err *e);
/* NULL is fine. For CLEANUP on the pointer: sql_end_cleanup. */
void sql_end(sqlite3_stmt *);
DEFINE_CLEANUP(sql_end_cleanup, sqlite3_stmt, sql_end)
struct span sql_column(sqlite3_stmt *, int column);
/* A number, `missing` when there is no row. */
int sql_number(struct sql *, const char *text, const struct sql_value *, size_t n, int64_t missing,
               int64_t *out, struct err *e);

/* The reason of SQLite result `rc`. Always -1. */
int sql_error(const struct sql *, int rc, const char *doing, struct err *e);
