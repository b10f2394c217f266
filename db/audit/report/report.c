/* SPDX-License-Identifier: Apache-2.0 */
#include "db/audit/report/report.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "db/audit/report/figure.h"
#include "db/audit/report/front.h"
#include "db/audit/report/page.h"

struct table {
    FILE *out;
    bool is_linked;
    uint64_t rows;
    uint64_t shown;
};

static void
table_row(void *arg, const struct section *s, int64_t first, const struct cell *cells, size_t n)
{
    struct table *t = arg;
    const char *heads[SECTION_COLUMNS];

    (void)first;
    for (size_t i = 0; t->rows == 0 && i < n; i++) {
        heads[i] = s->columns[i].name;
        t->shown |= t->is_linked && s->columns[i].type == AS_SHOWN ? UINT64_C(1) << i : 0;
    }
    if (t->rows++ == 0) {
        page_table_begin(t->out, s->look == LOOK_TABLE ? s->explains : s->title, heads, cells, n);
    }
    page_table_row(t->out, cells, n, t->shown);
}

static int
table_write(const struct report *r, const struct section *s, const struct rows_window *w, FILE *out,
            uint64_t *rows, struct err *e)
{
    struct table t = {.out = out, .is_linked = r->is_linked};

    if (rows_tell(r, s, w, table_row, &t, e) != 0) {
        return -1;
    }
    if (t.rows > 0) {
        page_table_end(out);
    }
    *rows = t.rows;
    return 0;
}

/* With its figure, when it has one; `table` has its rows. */
static int
section_body(const struct report *r, const struct section *s, const struct rows_window *w,
             const char *table, FILE *out, struct err *e)
{
    if (r->is_linked && s->list != NULL) {
        (void)fprintf(out, "<p class=\"note\"><a href=\"/%s\">All rows</a></p>\n", s->list);
    }
    if (s->look == LOOK_TABLE) {
        (void)fputs(table, out);
        return 0;
    }
    if (figure_write(r, s, w, out, e) != 0) {
        return -1;
    }
    (void)fprintf(out, "<details><summary>The numbers</summary>\n%s</details>", table);
    return 0;
}

static int
section_write(const struct report *r, const struct section *s, const struct rows_window *record,
              FILE *out, struct err *e)
{
    const struct rows_window w = rows_window_of(r, s, record);
    const bool is_wide = s->look == LOOK_TABLE || s->look == LOOK_SPANS || s->look == LOOK_STRIPS;
    CLEANUP(mem_cleanup) char *table = NULL;
    size_t n = 0;
    FILE *memory = open_memstream(&table, &n);
    uint64_t rows = 0;
    int result;

    assert(memory != NULL);
    result = table_write(r, s, &w, memory, &rows, e);
    assert(fclose(memory) == 0);
    if (result != 0) {
        return -1;
    }
    (void)fprintf(out, "<section id=\"%s\"%s><h3>%s</h3>\n", s->id,
                  is_wide ? " class=\"wide\"" : "", s->title);
    if (rows == 0) {
        (void)fprintf(out, "<p class=\"soft\">%s</p>", s->none);
    } else if (section_body(r, s, &w, table, out, e) != 0) {
        return -1;
    }
    (void)fputs("</section>\n", out);
    return 0;
}

/* ---- what `check` found ---- */

enum { CHECKED_MAX = 500 };

static struct cell
text_cell(const char *text)
{
    return text == NULL ? (struct cell){.kind = CELL_NONE}
                        : (struct cell){.kind = CELL_TEXT, .text = span_str(text)};
}

static void
checked_rows(struct findings *findings, FILE *out)
{
    static const char *const heads[] = {"Severity",      "Code", "What is wrong, or must be known",
                                        "Serial number", "Rule", "Leaf"};
    const struct finding *f = findings_at(findings, 0);

    for (size_t i = 0; f != NULL && i < CHECKED_MAX; f = findings_at(findings, ++i)) {
        const struct cell cells[] = {text_cell(severity_name(f->kind->severity)),
                                     text_cell(f->kind->id),
                                     text_cell(f->text),
                                     text_cell(f->serial),
                                     text_cell(f->kind->clause),
                                     {.kind = CELL_INT, .number = (int64_t)f->leaf}};

        if (i == 0) {
            page_table_begin(out,
                             "Each certificate was judged once more, by nothing that issues, and "
                             "what must be true of the record beyond that was looked for; the "
                             "first 500.",
                             heads, cells, ARRAY_LEN(heads));
        }
        page_table_row(out, cells, ARRAY_LEN(heads), 0);
    }
    page_table_end(out);
}

/* Nobody asked for it with this report: when somebody did over this mirror, if ever. */
static int
checked_before(const struct report *r, FILE *out, struct err *e)
{
    const int64_t size = (int64_t)mirror_checkpoint(r->mirror)->size;
    const struct rows_window none = {0};
    CLEANUP(statement_cleanup) sqlite3_stmt *statement = NULL;
    int row;

    if (rows_prepare(r, "checked", "SELECT time, first, size FROM judged WHERE by = 'check'", &none,
                     &statement, e) != 0) {
        return -1;
    }
    row = rows_step(r, "checked", statement, e);
    if (row <= 0) {
        (void)fputs("<p class=\"soft\">Nobody asked for it: <code>report --check</code>, or "
                    "<code>check</code> over this mirror.</p>",
                    out);
        return row;
    }
    (void)fputs("<p>It was asked last at ", out);
    page_cell(out, &(struct cell){.kind = CELL_TIME, .number = sqlite3_column_int64(statement, 0)});
    (void)fprintf(out, ", and has judged leaves %lld to %lld: below.",
                  (long long)sqlite3_column_int64(statement, 1),
                  (long long)sqlite3_column_int64(statement, 2) - 1);
    if (sqlite3_column_int64(statement, 2) < size) {
        (void)fprintf(out, " <strong>%lld newer ones were not judged.</strong>",
                      (long long)(size - sqlite3_column_int64(statement, 2)));
    }
    (void)fputs("</p>", out);
    return 0;
}

static int
checked_write(const struct report *r, FILE *out, struct err *e)
{
    (void)fputs("<section id=\"checked\" class=\"wide\"><h3>What a check found</h3>\n", out);
    if (r->checked == NULL) {
        if (checked_before(r, out, e) != 0) {
            return -1;
        }
    } else if (findings_at(r->checked, 0) == NULL) {
        (void)fputs("<p class=\"soft\">Nothing was found.</p>", out);
    } else {
        checked_rows(r->checked, out);
    }
    (void)fputs("</section>\n", out);
    return 0;
}

static int
sections_write(const struct report *r, FILE *out, struct err *e)
{
    const char *group = NULL;
    struct rows_window record;

    if (rows_window(r, &record, e) != 0) {
        return -1;
    }
    for (size_t i = 0; i < n_sections; i++) {
        if (group == NULL || strcmp(group, sections[i].group) != 0) {
            (void)fprintf(out, "%s<h2>%s</h2>\n<div class=\"figures\">\n",
                          group == NULL ? "" : "</div>\n", sections[i].group);
            group = sections[i].group;
        }
        if (section_write(r, &sections[i], &record, out, e) != 0) {
            return -1;
        }
        if (strcmp(sections[i].id, "findings") == 0 && /* beside what the rules found */
            checked_write(r, out, e) != 0) {
            return -1;
        }
    }
    (void)fputs("</div>\n", out);
    return 0;
}

int
report_body(const struct report *r, FILE *out, struct err *e)
{
    if (front_write(r, out, e) != 0 || sections_write(r, out, e) != 0) {
        return -1;
    }
    front_end(r, out);
    return 0;
}

int
report_page(const struct report *r, FILE *out, struct err *e)
{
    page_begin(out, "Report on a record");
    if (report_body(r, out, e) != 0) {
        return -1;
    }
    page_end(out);
    return fflush(out) == 0 && ferror(out) == 0
               ? 0
               : err_set(e, ERR_IO, "the report could not be written");
}

/* ---- the same, for machines ---- */

static void
sink_told(void *arg, const struct section *s, int64_t first, const struct cell *cells, size_t n)
{
    (void)s;
    (void)first;
    (void)n;
    sink_row(arg, cells);
}

static int
file_write_rows(const struct report *r, const struct section *s, const struct rows_window *w,
                enum sink_format format, FILE *out, struct err *e)
{
    const char *names[SECTION_COLUMNS];
    const size_t n = rows_columns(s);
    CLEANUP(sink_cleanup) struct sink *sink = NULL;

    for (size_t i = 0; i < n; i++) {
        names[i] = s->columns[i].name;
    }
    sink = sink_new(format, out, names, n, e);
    if (sink == NULL || rows_tell(r, s, w, sink_told, sink, e) != 0) {
        return -1;
    }
    sink_end(sink);
    return 0;
}

static FILE *
data_open(const char *folder, const char *id, enum sink_format format, struct err *e)
{
    CLEANUP(mem_cleanup)
    char *path = mem_printf("%s/%s.%s", folder, id, format == SINK_CSV ? "csv" : "jsonl");
    FILE *out = fopen(path, "we");

    if (out == NULL) {
        (void)err_errno(e, ERR_IO, errno, "%s", path);
    }
    return out;
}

static int
data_close(FILE *out, const char *id, int result, struct err *e)
{
    return fclose(out) != 0 && result == 0 ? err_errno(e, ERR_IO, errno, "rows of %s", id) : result;
}

static int
section_data(const struct report *r, const struct section *s, const struct rows_window *w,
             const char *folder, enum sink_format format, struct err *e)
{
    FILE *out = data_open(folder, s->id, format, e);

    return out == NULL ? -1 : data_close(out, s->id, file_write_rows(r, s, w, format, out, e), e);
}

static int
checked_data(const struct report *r, const char *folder, enum sink_format format, struct err *e)
{
    FILE *out = data_open(folder, "checked", format, e);

    return out == NULL ? -1
                       : data_close(out, "checked", findings_write(r->checked, format, out, e), e);
}

int
report_data(const struct report *r, const char *folder, struct err *e)
{
    struct rows_window record;

    if (rows_window(r, &record, e) != 0) {
        return -1;
    }
    if (r->checked != NULL && (checked_data(r, folder, SINK_CSV, e) != 0 ||
                               checked_data(r, folder, SINK_JSONL, e) != 0)) {
        return -1;
    }
    for (size_t i = 0; i < n_sections; i++) {
        const struct rows_window w = rows_window_of(r, &sections[i], &record);

        if (section_data(r, &sections[i], &w, folder, SINK_CSV, e) != 0 ||
            section_data(r, &sections[i], &w, folder, SINK_JSONL, e) != 0) {
            return -1;
        }
    }
    return 0;
}
