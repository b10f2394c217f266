/* SPDX-License-Identifier: Apache-2.0 */
/* by_schema.h - tables as their schema has them, and SQL for each of their columns and rows. */
#pragma once

#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { BY_SCHEMA_NAME = 64, BY_SCHEMA_COLUMNS = 40, BY_SCHEMA_SQL = 4096 };

struct column {
    char name[BY_SCHEMA_NAME];
    char type[16];
    bool may_be_null;
    bool is_key;
    bool is_unique;
};

struct table {
    char name[BY_SCHEMA_NAME];
    struct column columns[BY_SCHEMA_COLUMNS];
    size_t n;
    int64_t rows;
};

/* Of the main database; fails the test when it is not there. */
struct table by_schema_table(sqlite3 *, const char *name);
/* The first column of the first row, as text; NULL when there is none. mem_free() it, as all below.
 */
char *by_schema_text(sqlite3 *, const char *sql);
/* SQL for another value in the place of this one. */
char *by_schema_another(const struct column *);
/* A condition for row `i`, in the order of its keys. */
char *by_schema_row(sqlite3 *, const struct table *, int64_t i);
/* Columns of a row, with keys and what is unique as other values. */
char *by_schema_copy(const struct table *);
