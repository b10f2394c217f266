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
    time_t now;          /* what has expired then */
    struct span key;     /* JSON of the key that the answer rests on: a member of each object */
};

struct query_result {
    uint64_t rows;
    bool is_cut;    /* there are more */
    bool has_clock; /* another `now` might give other rows */
};

/* ERR_INPUT names what the question has wrong, and what the noun has. */
int query_check(const struct query *, struct err *e);
/* ERR_INPUT, too; ERR_STORE. */
int query_ask(sqlite3 *, const struct query *, enum sink_format, FILE *, struct query_result *,
              struct err *e);
