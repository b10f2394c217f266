/* SPDX-License-Identifier: Apache-2.0 */
#include "db/audit/report/plot.h"

#include <math.h>

#include "base/mem.h"
#include "db/audit/report/draw.h"

/* Of the picture, in its own units. */
enum {
    WIDTH = 640,
    HEIGHT = 230,
    LEFT = 46,
    RIGHT = 8,
    TOP = 14,
    BOTTOM = 30,
    LABELS = 196, /* of rows */
    ROW = 24,
    THICK = 15, /* a row's bar */
    SPAN = 9,   /* a span, with what is between it and the next one */
    MARKS = 4,  /* on the axis of values */
    DATES = 5,  /* on the axis of time, at most */
    STRIP = 44, /* of a strip, and what is between it and the next one */
};

void
plot_clear(struct plot *p)
{
    for (size_t i = 0; i < p->n; i++) {
        mem_free(p->points[i].label);
        p->points[i].label = NULL;
    }
    p->n = 0;
}

static size_t
series_of(const struct plot *p)
{
    size_t n = 0;

    while (n < PLOT_SERIES && p->series[n] != NULL) {
        n++;
    }
    return n;
}

/* Where the axis ends: as many marks as there are, at multiples of 1, 2 or 5 times a power of ten.
 */
static double
nice(double most)
{
    static const int factors[] = {1, 2, 5};
    double power = 1;

    for (;;) {
        for (size_t i = 0; i < ARRAY_LEN(factors); i++) {
            if (most <= MARKS * power * factors[i]) {
                return MARKS * power * factors[i];
            }
        }
        power *= 10;
    }
}

static double
most_of(const struct plot *p)
{
    const size_t n = series_of(p);
    double most = 0;

    for (size_t i = 0; i < p->n; i++) {
        double sum = 0;

        for (size_t k = 0; k < n; k++) {
            sum += p->points[i].value[k];
        }
        most = sum > most ? sum : most;
    }
    return most;
}

/* ---- parts of all figures ---- */

static void
begin(FILE *out, const struct plot *p, double height)
{
    (void)fprintf(out, "<svg role=\"img\" aria-labelledby=\"%s-t %s-d\" viewBox=\"0 0 %d ", p->id,
                  p->id, WIDTH);
    draw_number(out, height);
    (void)fprintf(out, "\"><title id=\"%s-t\">%s</title><desc id=\"%s-d\">%s</desc>", p->id,
                  p->title, p->id, p->description);
    (void)fprintf(out,
                  "<defs><pattern id=\"%s-p2\" width=\"5\" height=\"5\" "
                  "patternUnits=\"userSpaceOnUse\" patternTransform=\"rotate(45)\">"
                  "<rect class=\"b2\" width=\"5\" height=\"5\"/><rect class=\"f2\" width=\"2.6\" "
                  "height=\"5\"/></pattern><pattern id=\"%s-p3\" width=\"5\" height=\"5\" "
                  "patternUnits=\"userSpaceOnUse\"><rect class=\"b3\" width=\"5\" height=\"5\"/>"
                  "<circle class=\"f3\" cx=\"2.5\" cy=\"2.5\" r=\"1.7\"/></pattern></defs>\n",
                  p->id, p->id);
}

static void
values_axis(FILE *out, double top)
{
    for (int i = 0; i <= MARKS; i++) {
        const double y = HEIGHT - BOTTOM - (double)i * (HEIGHT - TOP - BOTTOM) / MARKS;
        const double at[4] = {LEFT, y, WIDTH - RIGHT, y};

        draw_line(out, i == 0 ? "axis" : "grid", at);
        draw_text_number(out, "end", LEFT - 6, y + 4, top * i / MARKS);
    }
}

static void
dates_axis(FILE *out, const struct plot *p, double width, double height)
{
    const size_t every = (p->n + DATES - 1) / DATES;

    for (size_t i = 0; i < p->n; i += every) {
        const double x = LEFT + (double)i * width;
        const double at[4] = {x, height - BOTTOM, x, height - BOTTOM + 5};

        draw_line(out, "axis", at);
        draw_text_day(out, "start", x, height - BOTTOM + 18, p->from + (int64_t)i * p->step);
    }
}

/* ---- figures ---- */

static void
bars(FILE *out, const struct plot *p)
{
    const double top = nice(most_of(p));
    const double width = (double)(WIDTH - LEFT - RIGHT) / (double)p->n;
    const double unit = (HEIGHT - TOP - BOTTOM) / top;
    const double between = width > 4 ? width / 6 : 0;

    begin(out, p, HEIGHT);
    values_axis(out, top);
    for (size_t i = 0; i < p->n; i++) {
        double y = HEIGHT - BOTTOM;

        for (size_t k = 0; k < series_of(p); k++) {
            const double height = p->points[i].value[k] * unit;
            const double box[4] = {LEFT + (double)i * width + between, y - height,
                                   width - 2 * between, height};

            y -= height;
            if (height > 0) {
                draw_rectangle(out, p->id, k, box);
            }
        }
    }
    dates_axis(out, p, width, HEIGHT);
}

static void
area(FILE *out, const struct plot *p)
{
    const double top = nice(most_of(p));
    const double width = (double)(WIDTH - LEFT - RIGHT) / (double)p->n;
    const double unit = (HEIGHT - TOP - BOTTOM) / top;

    begin(out, p, HEIGHT);
    values_axis(out, top);
    (void)fprintf(out, "<path class=\"s1 area\" d=\"M%d %d", LEFT, HEIGHT - BOTTOM);
    for (size_t i = 0; i < p->n; i++) { /* steps: what is true in between */
        (void)fputs("V", out);
        draw_number(out, HEIGHT - BOTTOM - p->points[i].value[0] * unit);
        (void)fputs("H", out);
        draw_number(out, LEFT + (double)(i + 1) * width);
    }
    (void)fprintf(out, "V%dZ\"/>", HEIGHT - BOTTOM);
    dates_axis(out, p, width, HEIGHT);
}

static void
rows(FILE *out, const struct plot *p)
{
    const double top = most_of(p) > 0 ? most_of(p) : 1;
    const double unit = (WIDTH - LABELS - 60) / top;
    const size_t n = p->n < PLOT_ROWS_MAX ? p->n : PLOT_ROWS_MAX;

    begin(out, p, (double)(n * ROW) + 6);
    for (size_t i = 0; i < n; i++) {
        const double y = (double)(i * ROW) + 4;
        double x = LABELS;
        double sum = 0;

        draw_text_label(out, LABELS - 8, y + 12, p->points[i].label);
        for (size_t k = 0; k < series_of(p); k++) {
            const double box[4] = {x, y, p->points[i].value[k] * unit, THICK};

            sum += p->points[i].value[k];
            x += box[2];
            if (box[2] > 0) {
                draw_rectangle(out, p->id, k, box);
            }
        }
        draw_text_number(out, "start", x + 6, y + 12, sum);
    }
}

static void
spans(FILE *out, const struct plot *p)
{
    double first = p->points[0].value[0];
    double last = p->points[0].value[1];
    double height = (double)(p->n * SPAN) + BOTTOM;
    double unit;

    for (size_t i = 0; i < p->n; i++) {
        first = p->points[i].value[0] < first ? p->points[i].value[0] : first;
        last = p->points[i].value[1] > last ? p->points[i].value[1] : last;
    }
    unit = (WIDTH - LEFT - RIGHT) / (last > first ? last - first : 1);
    begin(out, p, height);
    for (int i = 0; i <= DATES - 1; i++) {
        const double x = LEFT + (double)i * (WIDTH - LEFT - RIGHT) / DATES;
        const double at[4] = {x, 0, x, height - BOTTOM + 5};

        draw_line(out, "grid", at);
        draw_text_day(out, "start", x, height - BOTTOM + 18,
                      (int64_t)(first + (double)i * (last - first) / DATES));
    }
    for (size_t i = 0; i < p->n; i++) {
        const double *v = p->points[i].value;
        const double width = (v[1] - v[0]) * unit;
        const double box[4] = {LEFT + (v[0] - first) * unit, (double)(i * SPAN),
                               width < 1 ? 1 : width, SPAN - 3};

        draw_rectangle(out, p->id, v[2] != 0 ? 1 : 0, box);
    }
}

/* Seconds, as far apart as their logarithms. */
static void
ranges(FILE *out, const struct plot *p)
{
    static const struct {
        double seconds;
        const char *text;
    } marks[] = {{0, "0"},         {1, "1 s"},        {10, "10 s"},    {60, "1 min"},
                 {600, "10 min"},  {3600, "1 h"},     {36000, "10 h"}, {86400, "1 d"},
                 {864000, "10 d"}, {8640000, "100 d"}};
    const double width = (double)(WIDTH - LEFT - RIGHT) / (double)p->n;
    const double between = width > 4 ? width / 6 : 0;
    double most = 10;
    double unit;

    for (size_t i = 0; i < p->n; i++) {
        most = p->points[i].value[1] > most ? p->points[i].value[1] : most;
    }
    unit = (HEIGHT - TOP - BOTTOM) / log1p(most);
    begin(out, p, HEIGHT);
    for (size_t i = 0; i < ARRAY_LEN(marks) && marks[i].seconds <= most; i++) {
        const double y = HEIGHT - BOTTOM - log1p(marks[i].seconds) * unit;

        draw_line(out, i == 0 ? "axis" : "grid", (const double[4]){LEFT, y, WIDTH - RIGHT, y});
        draw_text(out, "end", LEFT - 6, y + 4);
        (void)fprintf(out, "%s</text>", marks[i].text);
    }
    for (size_t i = 0; i < p->n; i++) {
        const double *v = p->points[i].value;
        const double low = v[0] > 0 ? log1p(v[0]) * unit : 0;
        const double high = v[1] > 0 ? log1p(v[1]) * unit : 0;
        const double height = high - low < 3 ? 3 : high - low;

        if (p->points[i].is_set) {
            draw_rectangle(out, p->id, 0,
                           (const double[4]){LEFT + (double)i * width + between,
                                             HEIGHT - BOTTOM - low - height, width - 2 * between,
                                             height});
        }
    }
    dates_axis(out, p, width, HEIGHT);
}

/* One strip for each series: how much of each step it has. */
static void
strips(FILE *out, const struct plot *p)
{
    const size_t n = series_of(p);
    const double height = (double)(n * STRIP) + BOTTOM;
    const double width = (double)(WIDTH - LEFT - RIGHT) / (double)p->n;

    begin(out, p, height);
    for (size_t k = 0; k < n; k++) {
        const double top = (double)(k * STRIP) + 14;
        const double deep = STRIP - 18;

        draw_text(out, "start", LEFT, top - 3);
        (void)fprintf(out, "%s</text>", p->series[k]);
        draw_line(out, "grid", (const double[4]){LEFT, top, WIDTH - RIGHT, top});
        draw_line(out, "axis", (const double[4]){LEFT, top + deep, WIDTH - RIGHT, top + deep});
        for (size_t i = 0; i < p->n; i++) {
            const double share = p->points[i].value[k] / (double)p->step;
            const double part = share >= 1 ? deep : share * deep < 3 ? 3 : share * deep;

            if (share > 0) {
                draw_rectangle(out, p->id, k,
                               (const double[4]){LEFT + (double)i * width, top + deep - part,
                                                 width < 2 ? 2 : width, part});
            }
        }
    }
    dates_axis(out, p, width, height);
}

static void
legend(FILE *out, const struct plot *p)
{
    (void)fputs("<p class=\"legend\">", out);
    for (size_t k = 0; k < series_of(p); k++) {
        (void)fprintf(out, "<span><svg aria-hidden=\"true\" viewBox=\"0 0 14 12\" width=\"14\" "
                           "height=\"12\">");
        draw_rectangle(out, p->id, k, (const double[4]){0, 0, 14, 12});
        (void)fprintf(out, "</svg> %s</span> ", p->series[k]);
    }
    (void)fputs("</p>\n", out);
}

void
plot_write(FILE *out, const struct plot *p)
{
    static void (*const draw[])(FILE *, const struct plot *) = {
        [PLOT_BARS] = bars,   [PLOT_AREA] = area,     [PLOT_ROWS] = rows,
        [PLOT_SPANS] = spans, [PLOT_RANGES] = ranges, [PLOT_STRIPS] = strips};

    if (p->n == 0) {
        return;
    }
    draw[p->kind](out, p);
    (void)fputs("</svg>\n", out);
    if (series_of(p) > 1 && p->kind != PLOT_RANGES && p->kind != PLOT_STRIPS) {
        legend(out, p);
    }
}
