/* SPDX-License-Identifier: Apache-2.0 */
/*
 * guarded.h - a question in SQL that somebody typed, or was given: it can read the mirror's views,
 * and do nothing else. It is one SELECT; it writes nothing, opens nothing, loads nothing, sees
 * neither SQLite's own tables nor rows beyond the accepted size, calls the functions of a list, and
 * ends when its time, its memory or its rows are used up.
 *
 * What is set up for it stays: the connection is for such questions from then on, and the process's
 * SQLite has no more memory than that.
 */
#pragma once

#include "db/audit/query/query.h"

enum {
    GUARDED_ROWS = 1000,
    GUARDED_ROWS_MAX = 1000000,
    GUARDED_MS = 2000,
    GUARDED_MS_MAX = 600000,
    GUARDED_MEMORY = 256 << 20, /* of SQLite's; the process's, which has the rows, too: */
    GUARDED_PROCESS_MEMORY = 2 * GUARDED_MEMORY,
};

struct guarded {
    const char *sql; /* :now is `now` */
    time_t now;
    uint64_t limit; /* rows */
    int64_t ms;
};
/* ERR_INPUT what is no such question, with SQLite's words; ERR_BUSY its time or memory is used up:
 * what was written is not whole; ERR_STORE. */
int guarded_ask(sqlite3 *, const struct guarded *, enum sink_format, FILE *, struct query_result *,
                struct err *e);
