/* SPDX-License-Identifier: Apache-2.0 */
#include "db/audit/report/draw.h"

#include "base/ossl.h"
#include "base/text.h"
#include "db/audit/out/escape.h"

enum { LONGEST = 24 /* characters of a label */ };

/* Without a locale, as SVG has numbers. */
void
draw_number(FILE *out, double value)
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
    draw_number(out, value);
    (void)fputc('"', out);
}

void
draw_rectangle(FILE *out, const char *id, size_t series, const double box[4])
{
    if (series == 0) {
        (void)fputs("<rect class=\"s1\"", out);
    } else {
        (void)fprintf(out, "<rect class=\"s%zu\" fill=\"url(#%s-p%zu)\"", series + 1, id,
                      series + 1);
    }
    attribute(out, "x", box[0]);
    attribute(out, "y", box[1]);
    attribute(out, "width", box[2]);
    attribute(out, "height", box[3]);
    (void)fputs("/>", out);
}

void
draw_line(FILE *out, const char *class, const double at[4])
{
    (void)fprintf(out, "<line class=\"%s\"", class);
    attribute(out, "x1", at[0]);
    attribute(out, "y1", at[1]);
    attribute(out, "x2", at[2]);
    attribute(out, "y2", at[3]);
    (void)fputs("/>", out);
}

void
draw_text(FILE *out, const char *anchor, double x, double y)
{
    (void)fprintf(out, "<text text-anchor=\"%s\"", anchor);
    attribute(out, "x", x);
    attribute(out, "y", y);
    (void)fputc('>', out);
}

void
draw_text_number(FILE *out, const char *anchor, double x, double y, double value)
{
    draw_text(out, anchor, x, y);
    draw_number(out, value);
    (void)fputs("</text>", out);
}

void
draw_text_day(FILE *out, const char *anchor, double x, double y, int64_t at)
{
    char day[TIME_TEXT_SIZE];

    time_format((time_t)at, day);
    draw_text(out, anchor, x, y);
    (void)fprintf(out, "%.10s</text>", day);
}

/* As much of it as there is room for. */
void
draw_text_label(FILE *out, double x, double y, const char *label)
{
    struct span rest = span_str(label);
    size_t n = 0;
    uint32_t code;

    for (size_t i = 0; i < LONGEST && n < rest.n; i++) {
        const size_t octets = text_character(span_of(rest.p + n, rest.n - n), &code);

        n += octets == 0 ? 1 : octets;
    }
    draw_text(out, "end", x, y);
    escape_write(out, ESCAPE_HTML, span_of(rest.p, n));
    (void)fputs(n < rest.n ? "…</text>" : "</text>", out);
}
