/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sink.h - rows of an answer: their columns, then one after the other. Memory: the first rows of a
 * table, from which its widths come.
 */
#pragma once

#include <stdint.h>
#include <stdio.h>

#include "base/buf.h"

enum sink_format {
    SINK_TABLE, /* for people */
    SINK_CSV,   /* RFC 4180, guarded against formulas: hex begins with 0x, text as escape.h says */
    SINK_CSV_RAW,
    SINK_JSONL, /* an object a line, its members ascending, ASCII; integers beyond 2^53 are text */
};
/* "table", "csv", "jsonl" */
int sink_format_parse(const char *name, enum sink_format *, struct err *e);

enum cell_kind {
    CELL_NONE, /* NULL */
    CELL_TEXT, /* of others */
    CELL_HEX,  /* lower-case digits of a serial or a hash */
    CELL_INT,
    CELL_REAL,
    CELL_BOOL,
    CELL_TIME,  /* `number`, in seconds; said in UTC */
    CELL_VALUE, /* `text` is JSON of ours */
};
struct cell {
    enum cell_kind kind;
    struct span text;
    int64_t number;
    double real;
};

enum { SINK_COLUMNS = 128 };

struct sink;
void sink_free(struct sink *);
/* The names are borrowed. ERR_INPUT when two columns of JSON have one name. */
struct sink *sink_new(enum sink_format, FILE *, const char *const *columns, size_t n, struct err *e)
    OWNED(sink_free);
DEFINE_CLEANUP(sink_cleanup, struct sink, sink_free)

/* As many cells as columns. */
void sink_row(struct sink *, const struct cell *);
/* What is still kept back. A table without rows has no names either. */
void sink_end(struct sink *);
