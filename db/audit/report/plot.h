/* SPDX-License-Identifier: Apache-2.0 */
/*
 * plot.h - a figure of a report: inline SVG that needs nothing from anywhere, with a title and a
 * description for who does not see it. Colours come from the page's style (page.h); beside the
 * colour each series has a pattern of its own. At most 400 elements.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

enum { PLOT_POINTS = 100, PLOT_SERIES = 3, PLOT_ROWS_MAX = 20 };

enum plot_kind {
    PLOT_BARS,   /* series upon each other, over time */
    PLOT_AREA,   /* the first series over time */
    PLOT_ROWS,   /* a bar for each label, series behind each other; at most PLOT_ROWS_MAX */
    PLOT_SPANS,  /* from value[0] to value[1], seconds since 1970, one below the other; the same
                  * as a gap when value[2] is not 0 */
    PLOT_RANGES, /* from value[0] to value[1], seconds, over time, where is_set */
    PLOT_STRIPS, /* of each series its part of each step, seconds, over time */
};

struct plot_point {
    char *label; /* of PLOT_ROWS and PLOT_SPANS: any text; owned, mem_free() */
    double value[PLOT_SERIES];
    bool is_set; /* of PLOT_RANGES */
};

struct plot {
    enum plot_kind kind;
    const char *id; /* of ours, one of its own in the page */
    const char *title;
    const char *description;
    const char *series[PLOT_SERIES]; /* names; NULL: there is none */
    int64_t from, step;              /* over time: when the first one begins */
    struct plot_point points[PLOT_POINTS];
    size_t n;
};
void plot_clear(struct plot *);
/* The <svg> and what its patterns mean. */
void plot_write(FILE *, const struct plot *);
