/* SPDX-License-Identifier: Apache-2.0 */
/*
 * list.h - a list as somebody wants it: what is filtered, which columns, which order, from where
 * on; and the path that gives another page of the same. Private to serve/.
 */
#pragma once

#include "db/audit/query/query.h"
#include "db/audit/serve/visit.h"

enum {
    LIST_ROWS = 100,
    LIST_ROWS_MAX = 500,
    LIST_ROWS_FILE = 100000, /* in a file to be kept; longer ones are for the command */
};

struct list {
    struct query query;
    const char *as_of; /* as it was typed, query.now; NULL: now. Borrowed */
    char columns[1024];
};
/* ERR_INPUT names what it has, and what there is. */
int list_parse(struct list *, const struct visit *, struct err *e);

/* What is another than in this list. */
struct list_turn {
    const char *suffix; /* ".csv"; "" */
    const char *sort;   /* NULL: by leaf */
    bool descending;
    bool has_after;
    uint64_t after;
};
/* "/certificates?nf=...", for a quoted attribute. */
char *list_path(const struct list *, const struct list_turn *) OWNED(mem_free);
