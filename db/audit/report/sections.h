/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sections.h - what a report tells: a table of sections, each a question in SQL over the views of
 * the mirror and how its answer looks. Who wants another section writes a row. Private to report.c.
 *
 * A question has the parameters :now (when it is asked), and of figures over time :from, :step,
 * :steps; the first column is then the number of the step, counted from there. Of the others the
 * first column is the label. The figure's series are the columns behind it.
 */
#pragma once

#include <stddef.h>

enum { SECTION_COLUMNS = 10 };

enum look {
    LOOK_TABLE,
    LOOK_RECORD, /* bars, over the time of the record */
    LOOK_AHEAD,  /* bars, over 90 days from now on */
    LOOK_AREA,   /* over the time of the record; what is missing is as before */
    LOOK_ROWS,
    LOOK_RANGES, /* over the time of the record: from the second column to the third, seconds */
    LOOK_STRIPS, /* over the time of the record: seconds of each step */
    LOOK_SPANS,  /* label, from, to, and whether it is a gap */
};

enum as {
    AS_IS, /* text, numbers, octets as hex */
    AS_TIME,
    AS_CRL_REASON,
    AS_FAIL_INFO,
    AS_SHOWN, /* as it is: what a page is about (report.is_linked) */
    AS_STEP,  /* of a figure over time: when it begins */
};

struct section {
    const char *group; /* a heading, when it is another one than before */
    const char *id;
    const char *title;
    const char *explains;
    const char *none; /* what no row means */
    enum look look;
    struct {
        const char *name; /* NULL ends them */
        enum as type;
    } columns[SECTION_COLUMNS];
    const char *sql;
    const char *list; /* that has its rows, with filters; NULL: none has */
};

extern const struct section sections[];
extern const size_t n_sections;
