/* SPDX-License-Identifier: Apache-2.0 */
/*
 * query.h - a question of a list: a noun, filters, columns; and its rows, each of which ends in the
 * index of the leaf that says it.
 */
#pragma once

#include "db/audit/out/sink.h"
#include "db/audit/query/noun.h"

struct query {
    const struct noun *noun;
    struct filters filters;
    const char *columns; /* "serial,notAfter"; NULL: those that the noun shows */
    uint64_t limit;      /* rows, 0: all */
    bool is_page;        /* the rows of one leaf stay together, beyond the limit, too */
    const char *sort;    /* a column; NULL: by leaf */
    bool descending;
    bool has_after; /* behind the row of this leaf */
    uint64_t after;
    time_t now;      /* what has expired then */
    struct span key; /* JSON of the key that the answer rests on: a member of each object */
};

struct query_result {
    uint64_t rows;
    bool is_cut;    /* there are more */
    uint64_t last;  /* the leaf of the last row */
    bool has_clock; /* another `now` might give other rows */
};

/* ERR_INPUT names what the question has wrong, and what the noun has. */
int query_check(const struct query *, struct err *e);
/* Told of each row: its columns, the last of which is leaf. */
typedef void query_told(void *arg, const struct noun_column *const *, const struct cell *,
                        size_t n);
int query_tell(sqlite3 *, const struct query *, query_told *, void *arg, struct query_result *,
               struct err *e);
/* ERR_INPUT, too; ERR_STORE. */
int query_ask(sqlite3 *, const struct query *, enum sink_format, FILE *, struct query_result *,
              struct err *e);
