/* SPDX-License-Identifier: Apache-2.0 */
#include "db/audit/out/sink.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/ossl.h"
#include "db/audit/out/escape.h"

enum { KEPT = 256 /* rows of a table until its widths are known */ };
static const int64_t exact = INT64_C(1) << 53; /* what a JSON reader may keep in a double */

struct sink {
    enum sink_format format;
    FILE *out;
    const char *names[SINK_COLUMNS];
    size_t order[SINK_COLUMNS]; /* of the members of an object */
    size_t n;
    uint64_t rows;
    /* a table */
    size_t width[SINK_COLUMNS];
    char **kept; /* cells, row by row, the names first */
    size_t n_kept;
    bool is_flowing;
};

int
sink_format_parse(const char *name, enum sink_format *format, struct err *e)
{
    if (strcmp(name, "table") == 0) {
        *format = SINK_TABLE;
    } else if (strcmp(name, "csv") == 0) {
        *format = SINK_CSV;
    } else if (strcmp(name, "jsonl") == 0) {
        *format = SINK_JSONL;
    } else {
        return err_set(e, ERR_INPUT, "a format is table, csv or jsonl");
    }
    return 0;
}

void
sink_free(struct sink *s)
{
    if (s == NULL) {
        return;
    }
    for (size_t i = 0; s->kept != NULL && i < s->n_kept; i++) {
        mem_free(s->kept[i]);
    }
    mem_free(s->kept);
    mem_free(s);
}

/* ---- one cell ---- */

static void
write_text(FILE *out, enum sink_format format, const struct cell *cell)
{
    switch (format) {
    case SINK_TABLE:
        escape_write(out, ESCAPE_TERMINAL, cell->text);
        return;
    case SINK_CSV:
        escape_write(out, ESCAPE_CSV, cell->text);
        return;
    case SINK_CSV_RAW:
        escape_write(out, ESCAPE_CSV_RAW, cell->text);
        return;
    case SINK_JSONL:
        escape_write(out, ESCAPE_JSON, cell->text);
        return;
    }
}

/* Spreadsheets make a number of 75e4. */
static void
write_hex(FILE *out, enum sink_format format, const struct cell *cell)
{
    CLEANUP(mem_cleanup)
    char *text = mem_printf("%s%.*s", format == SINK_CSV && cell->text.n > 0 ? "0x" : "",
                            (int)cell->text.n, (const char *)cell->text.p);
    const struct cell other = {.kind = CELL_TEXT, .text = span_str(text)};

    write_text(out, format, &other);
}

static void
write_time(FILE *out, enum sink_format format, const struct cell *cell)
{
    char text[TIME_TEXT_SIZE];
    struct cell other = {.kind = CELL_TEXT};

    time_format((time_t)cell->number, text);
    other.text = span_str(text);
    write_text(out, format, &other);
}

/* JSON of ours; none is null. */
static void
write_value(FILE *out, enum sink_format format, const struct cell *cell)
{
    if (cell->text.n == 0) {
        (void)fputs(format == SINK_JSONL ? "null" : "", out);
    } else if (format == SINK_JSONL) {
        (void)fwrite(cell->text.p, 1, cell->text.n, out);
    } else {
        write_text(out, format, cell);
    }
}

static void
write_cell(FILE *out, enum sink_format format, const struct cell *cell)
{
    switch (cell->kind) {
    case CELL_NONE:
        (void)fputs(format == SINK_TABLE ? "-" : format == SINK_JSONL ? "null" : "", out);
        return;
    case CELL_TEXT:
        write_text(out, format, cell);
        return;
    case CELL_HEX:
        write_hex(out, format, cell);
        return;
    case CELL_INT:
        if (format == SINK_JSONL && (cell->number >= exact || cell->number <= -exact)) {
            (void)fprintf(out, "\"%" PRId64 "\"", cell->number);
        } else {
            (void)fprintf(out, "%" PRId64, cell->number);
        }
        return;
    case CELL_REAL:
        if (!isfinite(cell->real)) {
            (void)fputs(format == SINK_JSONL ? "null" : "", out);
        } else {
            (void)fprintf(out, "%.17g", cell->real);
        }
        return;
    case CELL_BOOL:
        (void)fputs(cell->number != 0 ? "true" : "false", out);
        return;
    case CELL_TIME:
        write_time(out, format, cell);
        return;
    case CELL_VALUE:
        write_value(out, format, cell);
        return;
    }
}

/* ---- a table ---- */

static void
table_line(const struct sink *s, char *const *cells)
{
    for (size_t i = 0; i < s->n; i++) {
        const bool is_last = i + 1 == s->n;

        (void)fprintf(s->out, "%-*s%s", is_last ? 0 : (int)s->width[i], cells[i],
                      is_last ? "\n" : "  ");
    }
}

/* The widths are known, or as good as: what was kept goes out. */
static void
table_flow(struct sink *s)
{
    for (size_t i = 0; i < s->n_kept; i++) {
        const size_t width = strlen(s->kept[i]);

        s->width[i % s->n] = width > s->width[i % s->n] ? width : s->width[i % s->n];
    }
    for (size_t i = 0; i < s->n_kept; i += s->n) {
        table_line(s, s->kept + i);
    }
    for (size_t i = 0; i < s->n_kept; i++) {
        mem_free(s->kept[i]);
    }
    s->n_kept = 0;
    s->is_flowing = true;
}

static char *
shown(const struct cell *cell)
{
    char *text = NULL;
    size_t n = 0;
    FILE *memory = open_memstream(&text, &n);

    assert(memory != NULL);
    write_cell(memory, SINK_TABLE, cell);
    assert(fclose(memory) == 0);
    return text;
}

static void
table_row(struct sink *s, const struct cell *cells)
{
    for (size_t i = 0; i < s->n; i++) {
        s->kept[s->n_kept++] = shown(&cells[i]);
    }
    if (s->is_flowing || s->n_kept == s->n * KEPT) {
        table_flow(s);
    }
}

/* ---- all ---- */

/* Of the names, for the members of an object. */
static int
put_in_order(struct sink *s, struct err *e)
{
    for (size_t i = 0; i < s->n; i++) {
        size_t at = i;

        for (; at > 0 && strcmp(s->names[s->order[at - 1]], s->names[i]) > 0; at--) {
            s->order[at] = s->order[at - 1];
        }
        s->order[at] = i;
        if (at > 0 && strcmp(s->names[s->order[at - 1]], s->names[i]) == 0) {
            return err_set(e, ERR_INPUT, "two columns have one name: give one another name (AS)");
        }
    }
    return 0;
}

static void
header(struct sink *s)
{
    for (size_t i = 0; i < s->n; i++) {
        const struct cell name = {.kind = CELL_TEXT, .text = span_str(s->names[i])};

        if (s->format == SINK_TABLE) {
            s->kept[s->n_kept++] = shown(&name);
        } else if (s->format != SINK_JSONL) {
            (void)fputs(i == 0 ? "" : ",", s->out);
            write_text(s->out, s->format, &name);
        }
    }
    if (s->format == SINK_CSV || s->format == SINK_CSV_RAW) {
        (void)fputs("\r\n", s->out);
    }
}

struct sink *
sink_new(enum sink_format format, FILE *out, const char *const *columns, size_t n, struct err *e)
{
    CLEANUP(sink_cleanup) struct sink *s = mem_new(sizeof(*s));

    assert(n > 0 && n <= SINK_COLUMNS);
    s->format = format;
    s->out = out;
    s->n = n;
    s->kept = mem_zalloc(n * KEPT, sizeof(s->kept[0]));
    memcpy(s->names, columns, n * sizeof(columns[0]));
    if (format == SINK_JSONL && put_in_order(s, e) != 0) {
        return NULL;
    }
    header(s);
    return TAKE(s);
}

void
sink_row(struct sink *s, const struct cell *cells)
{
    s->rows++;
    if (s->format == SINK_TABLE) {
        table_row(s, cells);
        return;
    }
    for (size_t i = 0; i < s->n; i++) {
        const size_t at = s->format == SINK_JSONL ? s->order[i] : i;

        if (s->format == SINK_JSONL) {
            (void)fputs(i == 0 ? "{" : ",", s->out);
            escape_write_str(s->out, ESCAPE_JSON, s->names[at]);
            (void)fputc(':', s->out);
        } else {
            (void)fputs(i == 0 ? "" : ",", s->out);
        }
        write_cell(s->out, s->format, &cells[at]);
    }
    (void)fputs(s->format == SINK_JSONL ? "}\n" : "\r\n", s->out);
}

void
sink_end(struct sink *s)
{
    if (s->format == SINK_TABLE && s->rows > 0) {
        table_flow(s);
    }
}
