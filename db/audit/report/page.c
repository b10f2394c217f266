/* SPDX-License-Identifier: Apache-2.0 */
#include "db/audit/report/page.h"

#include <inttypes.h>
#include <string.h>

#include "base/ossl.h"
#include "db/audit/out/escape.h"

enum { SHOWN_HEX_MAX = 2 * 20 /* digits of a serial number */, UUID = 36 };

/* report.css, as it is built in (db/CMakeLists.txt). */
extern const unsigned char report_style[];
extern const size_t report_style_size;

void
page_begin(FILE *out, const char *title)
{
    (void)fprintf(out, "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"/>\n"
                       "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
                       "style-src 'unsafe-inline'\"/>\n"
                       "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n"
                       "<meta name=\"referrer\" content=\"no-referrer\"/>\n<title>");
    escape_write_str(out, ESCAPE_HTML, title);
    (void)fputs("</title>\n<style>", out);
    (void)fwrite(report_style, 1, report_style_size, out);
    (void)fputs("</style></head>\n<body>\n", out);
}

struct span
page_style(void)
{
    return span_of(report_style, report_style_size);
}

void
page_end(FILE *out)
{
    (void)fputs("</body></html>\n", out);
}

void
page_text(FILE *out, const char *text)
{
    (void)fputs("<bdi>", out);
    escape_write_str(out, ESCAPE_HTML, text);
    (void)fputs("</bdi>", out);
}

void
page_part(FILE *out, struct span text)
{
    static const char plain[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";

    for (size_t i = 0; i < text.n; i++) {
        if (memchr(plain, text.p[i], sizeof(plain) - 1) != NULL) {
            (void)fputc(text.p[i], out);
        } else {
            (void)fprintf(out, "%%%02X", (unsigned)text.p[i]);
        }
    }
}

void
page_cell(FILE *out, const struct cell *cell)
{
    char time[TIME_TEXT_SIZE];

    switch (cell->kind) {
    case CELL_NONE:
        (void)fputs("–", out);
        return;
    case CELL_TEXT:
    case CELL_VALUE:
        (void)fputs("<bdi>", out);
        escape_write(out, ESCAPE_HTML, cell->text);
        (void)fputs("</bdi>", out);
        return;
    case CELL_HEX:
        (void)fputs("<span class=\"hex\">", out);
        escape_write(out, ESCAPE_HTML, cell->text);
        (void)fputs("</span>", out);
        return;
    case CELL_INT:
        (void)fprintf(out, "%" PRId64, cell->number);
        return;
    case CELL_REAL:
        (void)fprintf(out, "%" PRId64, (int64_t)cell->real);
        return;
    case CELL_BOOL:
        (void)fputs(cell->number != 0 ? "yes" : "no", out);
        return;
    case CELL_TIME:
        time_format((time_t)cell->number, time);
        (void)fprintf(out, "<time datetime=\"%s\">%.10s %.8s Z</time>", time, time, time + 11);
        return;
    }
}

/* Numbers stand on the right, and times in one line. */
static const char *
class_of(enum cell_kind kind)
{
    return kind == CELL_INT || kind == CELL_REAL ? " class=\"n\""
           : kind == CELL_TIME                   ? " class=\"t\""
                                                 : "";
}

void
page_table_begin(FILE *out, const char *caption, const char *const *heads, const struct cell *first,
                 size_t n)
{
    (void)fprintf(out, "<div class=\"scroll\"><table><caption>%s</caption><thead><tr>", caption);
    for (size_t i = 0; i < n; i++) {
        (void)fprintf(out, "<th scope=\"col\"%s>%s</th>", class_of(first[i].kind), heads[i]);
    }
    (void)fputs("</tr></thead><tbody>\n", out);
}

/* A leaf; a serial number, request or registration; a network function. What is longer than those
 * is a SHA-256, about which there is no page. All of it needs no escape anywhere. */
static bool
is_shown(const struct cell *cell)
{
    static const char plain[] = "0123456789abcdef-";
    const struct span t = cell->text;

    if (cell->kind == CELL_INT) {
        return cell->number >= 0;
    }
    if (cell->kind == CELL_HEX ? t.n > SHOWN_HEX_MAX : cell->kind != CELL_TEXT || t.n != UUID) {
        return false;
    }
    for (size_t i = 0; i < t.n; i++) {
        if (memchr(plain, t.p[i], sizeof(plain) - 1) == NULL) {
            return false;
        }
    }
    return t.n > 0;
}

static void
cell_write(FILE *out, const struct cell *cell, bool shown)
{
    if (!shown || !is_shown(cell)) {
        page_cell(out, cell);
        return;
    }
    if (cell->kind == CELL_INT) {
        (void)fprintf(out, "<a href=\"/show/%" PRId64 "\">", cell->number);
    } else {
        (void)fprintf(out, "<a href=\"/show/%.*s\">", (int)cell->text.n,
                      (const char *)cell->text.p);
    }
    page_cell(out, cell);
    (void)fputs("</a>", out);
}

void
page_table_row(FILE *out, const struct cell *cells, size_t n, uint64_t shown)
{
    (void)fputs("<tr>", out);
    for (size_t i = 0; i < n; i++) {
        (void)fputs(i == 0 ? "<th scope=\"row\"" : "<td", out);
        (void)fprintf(out, "%s>", class_of(cells[i].kind));
        cell_write(out, &cells[i], (shown >> i & 1) != 0);
        (void)fputs(i == 0 ? "</th>" : "</td>", out);
    }
    (void)fputs("</tr>\n", out);
}

void
page_table_end(FILE *out)
{
    (void)fputs("</tbody></table></div>\n", out);
}
