/* SPDX-License-Identifier: Apache-2.0 */
/*
 * noun.h - what can be listed: of each the view of the mirror (db/audit/mirror/mirror.sql) that has
 * it, its columns by the names that the record has for them, and what each filter means for it. All
 * SQL of ours that a list is asked with stands in noun.c.
 */
#pragma once

#include "db/audit/query/filter.h"

enum column_kind {
    COLUMN_PLAIN, /* text and numbers as they are, octets as hex */
    COLUMN_TIME,
    COLUMN_BOOL,
    COLUMN_REASON,  /* CRLReason */
    COLUMN_FAILURE, /* bit of PKIFailureInfo */
};
struct noun_column {
    const char *name; /* "notAfter" */
    const char *sql;  /* "not_after" */
    enum column_kind kind;
};

/* A word of --status that is not what the column has. */
struct noun_word {
    const char *word;
    const char *sql;
    bool by_end; /* its answers are in the order of their ends */
};

enum { NOUN_COLUMNS = 40, NOUN_WORDS = 5 };
struct noun {
    const char *name; /* "certificates" */
    const char *view;
    struct noun_column columns[NOUN_COLUMNS]; /* up to one without a name; leaf is not among them */
    bool several;      /* several rows may be of one leaf: they come in the order of leaves alone */
    const char *shown; /* "serial,profile": when nobody names columns */
    /* Columns by whose index it is sorted; NULL: by any of them, it never has many rows. */
    const char *sorted;
    const char *conditions[FILTERS]; /* NULL: it has no such filter */
    const char *words[FILTERS];      /* "live|expired": all that it may be; NULL: any */
    const char *there[FILTERS];      /* SQL: and these, of which a record has its own; NULL: none */
    struct noun_word statuses[NOUN_WORDS]; /* up to one without a word */
    /* Bits 1 << filter, of conditions that begin with their column: what many rows have. By its
     * index their answers are in order; beside a filter that few rows pass it is not looked at. */
    unsigned common;
};

extern const struct noun nouns[];
extern const size_t n_nouns;
/* NULL: there is none of that name. */
const struct noun *noun_find(const char *name);
/* Is it sorted by this column? By leaf it always is. */
bool noun_is_sorted_by(const struct noun *, const char *column);
/* NULL: it has none of that name. */
const struct noun_column *noun_column_find(const struct noun *, const char *name, size_t length);
