/* SPDX-License-Identifier: Apache-2.0 */
#include "db/audit/report/plot.h"

#include <string.h>

#include "base/ossl.h"
#include "base/text.h"
#include "db/audit/out/escape.h"

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
    THICK = 15,  /* a row's bar */
    SPAN = 9,    /* a span, with what is between it and the next one */
    MARKS = 4,   /* on the axis of values */
    DATES = 5,   /* on the axis of time, at most */
    LONGEST = 24 /* characters of a label */
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

/* Without a locale, as SVG has numbers. */
static void
number(FILE *out, double value)
{
    const int64_t tenths = (int64_t)(value * 10 + (value < 0 ? -0.5 : 0.5));

    (void)fprintf(out, "%lld", (long long)(tenths / 10));
    if (tenths % 10 != 0) {
        (void)fprintf(out, ".%d", (int)(tenths % 10 < 0 ? -(tenths % 10) : tenths % 10));
    }
}

static void
attribute(FILE *out, const char *name, double value)
{
    (void)fprintf(out, " %s=\"", name);
    number(out, value);
    (void)fputc('"', out);
}

static void
rectangle(FILE *out, const struct plot *p, size_t series, const double box[4])
{
    if (series == 0) {
        (void)fputs("<rect class=\"s1\"", out);
    } else {
        (void)fprintf(out, "<rect class=\"s%zu\" fill=\"url(#%s-p%zu)\"", series + 1, p->id,
                      series + 1);
    }
    attribute(out, "x", box[0]);
    attribute(out, "y", box[1]);
    attribute(out, "width", box[2]);
    attribute(out, "height", box[3]);
    (void)fputs("/>", out);
}

static void
line(FILE *out, const char *class, const double at[4])
{
    (void)fprintf(out, "<line class=\"%s\"", class);
    attribute(out, "x1", at[0]);
    attribute(out, "y1", at[1]);
    attribute(out, "x2", at[2]);
    attribute(out, "y2", at[3]);
    (void)fputs("/>", out);
}

static void
text_begin(FILE *out, const char *anchor, double x, double y)
{
    (void)fprintf(out, "<text text-anchor=\"%s\"", anchor);
    attribute(out, "x", x);
    attribute(out, "y", y);
    (void)fputc('>', out);
}

static void
text_number(FILE *out, const char *anchor, double x, double y, double value)
{
    text_begin(out, anchor, x, y);
    number(out, value);
    (void)fputs("</text>", out);
}

static void
text_day(FILE *out, const char *anchor, double x, double y, int64_t at)
{
    char day[TIME_TEXT_SIZE];

    time_format((time_t)at, day);
    text_begin(out, anchor, x, y);
    (void)fprintf(out, "%.10s</text>", day);
}

/* As much of it as there is room for. */
static void
text_label(FILE *out, double x, double y, const char *label)
{
    struct span rest = span_str(label);
    size_t n = 0;
    uint32_t code;

    for (size_t i = 0; i < LONGEST && n < rest.n; i++) {
        const size_t octets = text_character(span_of(rest.p + n, rest.n - n), &code);

        n += octets == 0 ? 1 : octets;
    }
    text_begin(out, "end", x, y);
    escape_write(out, ESCAPE_HTML, span_of(rest.p, n));
    (void)fputs(n < rest.n ? "…</text>" : "</text>", out);
}

/* ---- parts of all figures ---- */

static void
begin(FILE *out, const struct plot *p, double height)
{
    (void)fprintf(out, "<svg role=\"img\" aria-labelledby=\"%s-t %s-d\" viewBox=\"0 0 %d ", p->id,
                  p->id, WIDTH);
    number(out, height);
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

        line(out, i == 0 ? "axis" : "grid", at);
        text_number(out, "end", LEFT - 6, y + 4, top * i / MARKS);
    }
}

static void
dates_axis(FILE *out, const struct plot *p, double width)
{
    const size_t every = (p->n + DATES - 1) / DATES;

    for (size_t i = 0; i < p->n; i += every) {
        const double x = LEFT + (double)i * width;
        const double at[4] = {x, HEIGHT - BOTTOM, x, HEIGHT - BOTTOM + 5};

        line(out, "axis", at);
        text_day(out, "start", x, HEIGHT - BOTTOM + 18, p->from + (int64_t)i * p->step);
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
                rectangle(out, p, k, box);
            }
        }
    }
    dates_axis(out, p, width);
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
        number(out, HEIGHT - BOTTOM - p->points[i].value[0] * unit);
        (void)fputs("H", out);
        number(out, LEFT + (double)(i + 1) * width);
    }
    (void)fprintf(out, "V%dZ\"/>", HEIGHT - BOTTOM);
    dates_axis(out, p, width);
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

        text_label(out, LABELS - 8, y + 12, p->points[i].label);
        for (size_t k = 0; k < series_of(p); k++) {
            const double box[4] = {x, y, p->points[i].value[k] * unit, THICK};

            sum += p->points[i].value[k];
            x += box[2];
            if (box[2] > 0) {
                rectangle(out, p, k, box);
            }
        }
        text_number(out, "start", x + 6, y + 12, sum);
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

        line(out, "grid", at);
        text_day(out, "start", x, height - BOTTOM + 18,
                 (int64_t)(first + (double)i * (last - first) / DATES));
    }
    for (size_t i = 0; i < p->n; i++) {
        const double *v = p->points[i].value;
        const double width = (v[1] - v[0]) * unit;
        const double box[4] = {LEFT + (v[0] - first) * unit, (double)(i * SPAN),
                               width < 1 ? 1 : width, SPAN - 3};

        rectangle(out, p, v[2] != 0 ? 1 : 0, box);
    }
}

static void
legend(FILE *out, const struct plot *p)
{
    (void)fputs("<p class=\"legend\">", out);
    for (size_t k = 0; k < series_of(p); k++) {
        (void)fprintf(out, "<span><svg aria-hidden=\"true\" viewBox=\"0 0 14 12\" width=\"14\" "
                           "height=\"12\">");
        rectangle(out, p, k, (const double[4]){0, 0, 14, 12});
        (void)fprintf(out, "</svg> %s</span> ", p->series[k]);
    }
    (void)fputs("</p>\n", out);
}

void
plot_write(FILE *out, const struct plot *p)
{
    static void (*const draw[])(FILE *, const struct plot *) = {
        [PLOT_BARS] = bars, [PLOT_AREA] = area, [PLOT_ROWS] = rows, [PLOT_SPANS] = spans};

    if (p->n == 0) {
        return;
    }
    draw[p->kind](out, p);
    (void)fputs("</svg>\n", out);
    if (series_of(p) > 1) {
        legend(out, p);
    }
}
