/* SPDX-License-Identifier: Apache-2.0 */
#include "db/audit/lint/findings.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TEXT_MAX = 512, COLUMNS = 6 };

struct findings {
    struct finding *all;
    size_t n, capacity;
    uint64_t from;
    size_t of[SEVERITY_NOTICE + 1];
};

const char *
severity_name(enum severity severity)
{
    switch (severity) {
    case SEVERITY_ERROR:
        return "error";
    case SEVERITY_WARNING:
        return "warning";
    case SEVERITY_NOTICE:
        return "notice";
    }
    return "?";
}

struct findings *
findings_new(void)
{
    return mem_new(sizeof(struct findings));
}

void
findings_free(struct findings *f)
{
    if (f == NULL) {
        return;
    }
    for (size_t i = 0; i < f->n; i++) {
        mem_free(f->all[i].serial);
        mem_free(f->all[i].text);
    }
    mem_free(f->all);
    mem_free(f);
}

void
findings_add(struct findings *f, const struct finding_kind *kind, uint64_t leaf, const char *serial,
             const char *fmt, ...)
{
    char text[TEXT_MAX];
    va_list ap;

    if (!findings_wants(f, leaf)) {
        return;
    }
    va_start(ap, fmt);
    (void)vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    f->all = mem_grow(f->all, &f->capacity, f->n + 1, sizeof(*f->all));
    f->all[f->n++] = (struct finding){.kind = kind,
                                      .leaf = leaf,
                                      .serial = serial == NULL ? NULL : mem_strdup(serial),
                                      .text = mem_strdup(text)};
    f->of[kind->severity]++;
}

uint64_t
findings_from(struct findings *f, uint64_t leaf)
{
    const uint64_t before = f->from;

    f->from = leaf;
    return before;
}

bool
findings_wants(const struct findings *f, uint64_t leaf)
{
    return leaf >= f->from;
}

size_t
findings_count(const struct findings *f)
{
    return f->of[SEVERITY_ERROR] + f->of[SEVERITY_WARNING];
}

size_t
findings_of(const struct findings *f, enum severity severity)
{
    return f->of[severity];
}

const struct finding *
findings_at(const struct findings *f, size_t i)
{
    return i < f->n ? &f->all[i] : NULL;
}

/* By leaf; at one leaf by identifier, so that two runs give the same. */
static int
compare(const void *a, const void *b)
{
    const struct finding *first = a;
    const struct finding *second = b;

    if (first->leaf != second->leaf) {
        return first->leaf < second->leaf ? -1 : 1;
    }
    return strcmp(first->kind->id, second->kind->id);
}

static struct cell
text_cell(const char *text)
{
    return text == NULL ? (struct cell){.kind = CELL_NONE}
                        : (struct cell){.kind = CELL_TEXT, .text = span_str(text)};
}

int
findings_write(struct findings *f, enum sink_format format, FILE *out, struct err *e)
{
    static const char *const columns[COLUMNS] = {"id",     "severity", "clause",
                                                 "serial", "text",     "leaf"};
    CLEANUP(sink_cleanup) struct sink *sink = sink_new(format, out, columns, COLUMNS, e);

    if (sink == NULL) {
        return -1;
    }
    if (f->n == 0 && format == SINK_TABLE) {
        return 0; /* no names of columns above nothing */
    }
    if (f->n > 0) {
        qsort(f->all, f->n, sizeof(*f->all), compare);
    }
    for (size_t i = 0; i < f->n; i++) {
        const struct finding *one = &f->all[i];
        struct cell row[COLUMNS] = {
            text_cell(one->kind->id),     text_cell(severity_name(one->kind->severity)),
            text_cell(one->kind->clause), text_cell(one->serial),
            text_cell(one->text),         {.kind = CELL_INT, .number = (int64_t)one->leaf},
        };

        row[3].kind = one->serial == NULL ? CELL_NONE : CELL_HEX;
        sink_row(sink, row);
    }
    sink_end(sink);
    return 0;
}
