/* SPDX-License-Identifier: Apache-2.0 */
/* A list: a page of it, and all of it as a file. */
#include <inttypes.h>
#include <string.h>

#include "db/audit/json.h"
#include "db/audit/report/page.h"
#include "db/audit/serve/frame.h"
#include "db/audit/serve/list.h"
#include "db/audit/serve/list_form.h"

struct writing {
    const struct list *list;
    FILE *out;
    uint64_t rows;
    uint64_t shown; /* columns whose cells lead to a page about what they name */
};

/* What `show` knows by what stands in a column of this name. */
static bool
leads_on(const char *column)
{
    static const char *const names[] = {
        "serial",    "rid",      "registration", "nfInstanceId", "supersededBy", "rr",
        "actor",     "object",   "registrar",    "officer",      "leaf",         "supersedes",
        "ra",        "madeBy",   "updates",      "renews",       "insteadOf",    "issued",
        "confirmed", "rejected", "revoked"};

    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        if (strcmp(names[i], column) == 0) {
            return true;
        }
    }
    return false;
}

/* Its name, which sorts by it; once more, the other way. */
static char *
head(const struct list *list, const struct noun_column *column)
{
    const struct query *q = &list->query;
    const bool is_leaf = strcmp(column->name, "leaf") == 0;
    const bool is_it = is_leaf ? q->sort == NULL || strcmp(q->sort, "leaf") == 0
                               : q->sort != NULL && strcmp(q->sort, column->name) == 0;
    const struct list_turn turn = {
        .suffix = "", .sort = is_leaf ? NULL : column->name, .descending = is_it && !q->descending};
    CLEANUP(mem_cleanup) char *path = list_path(list, &turn);

    if (!noun_is_sorted_by(q->noun, column->name)) {
        return mem_strdup(column->name);
    }
    return mem_printf("<a href=\"%s\">%s</a>%s", path, column->name,
                      !is_it          ? ""
                      : q->descending ? " <span title=\"descending\">▼</span>"
                                      : " <span title=\"ascending\">▲</span>");
}

static void
write_row(void *arg, const struct noun_column *const *columns, const struct cell *cells, size_t n)
{
    struct writing *w = arg;
    char *heads[NOUN_COLUMNS + 3] = {0};

    if (w->rows++ == 0) {
        CLEANUP(mem_cleanup)
        char *caption =
            mem_printf("%s%s; each row ends in the leaf that says it", w->list->query.noun->name,
                       w->list->query.has_after ? ", continued" : "");

        for (size_t i = 0; i < n; i++) {
            heads[i] = head(w->list, columns[i]);
            w->shown |= leads_on(columns[i]->name) ? UINT64_C(1) << i : 0;
        }
        page_table_begin(w->out, caption, (const char *const *)heads, cells, n);
        for (size_t i = 0; i < n; i++) {
            mem_free(heads[i]);
        }
    }
    page_table_row(w->out, cells, n, w->shown);
}

static void
write_turns(const struct list *list, const struct query_result *result, FILE *out)
{
    const struct query *q = &list->query;
    struct list_turn turn = {.suffix = "", .sort = q->sort, .descending = q->descending};
    CLEANUP(mem_cleanup) char *first = list_path(list, &turn);
    CLEANUP(mem_cleanup) char *csv = NULL;
    CLEANUP(mem_cleanup) char *jsonl = NULL;
    CLEANUP(mem_cleanup) char *next = NULL;

    turn.suffix = ".csv";
    csv = list_path(list, &turn);
    turn.suffix = ".jsonl";
    jsonl = list_path(list, &turn);
    turn = (struct list_turn){"", q->sort, q->descending, true, result->last};
    next = list_path(list, &turn);
    (void)fprintf(out, "<p class=\"turns\"><span>%" PRIu64 " row%s%s</span> ", result->rows,
                  result->rows == 1 ? "" : "s",
                  result->is_cut ? ", and there are more"
                  : q->has_after ? ", up to the end"
                                 : ": all of them");
    if (q->has_after) {
        (void)fprintf(out, "<a href=\"%s\">First page</a> ", first);
    }
    if (result->is_cut) {
        (void)fprintf(out, "<a rel=\"next\" href=\"%s\">Next page</a> ", next);
    }
    (void)fprintf(out, "<a href=\"%s\">CSV</a> <a href=\"%s\">JSON Lines</a></p>\n", csv, jsonl);
}

int
list_page(const struct visit *v, struct err *e)
{
    struct list list;
    struct writing w = {.list = &list, .out = v->out};
    struct query_result result;
    CLEANUP(mem_cleanup) char *title = mem_printf("%s", v->route.noun->name);

    if (list_parse(&list, v, e) != 0 || frame_begin(v, title, e) != 0) {
        return -1;
    }
    (void)fprintf(v->out, "<main id=\"main\"><h1>%s</h1>\n", title);
    list_form_write(&list, v->out);
    if (query_tell(mirror_sqlite(v->mirror), &list.query, write_row, &w, &result, e) != 0) {
        return -1;
    }
    if (w.rows > 0) {
        page_table_end(v->out);
    } else {
        (void)fprintf(v->out, "<p>The record has no %s like that.</p>\n", v->route.noun->name);
    }
    write_turns(&list, &result, v->out);
    if (result.has_clock) {
        (void)fputs("<p class=\"note\">As of ", v->out);
        page_cell(v->out, &(struct cell){.kind = CELL_TIME, .number = list.query.now});
        (void)fputs(": what has expired, has expired then.</p>\n", v->out);
    }
    frame_end(v->out);
    return 0;
}

int
list_data(const struct visit *v, struct err *e)
{
    struct list list;
    struct query_result result;
    CLEANUP(json_cleanup) json_t *key = json_key(mirror_key(v->mirror), v->key_is_given);
    CLEANUP(mem_cleanup) char *text = json_dumps(key, JSON_COMPACT | JSON_SORT_KEYS);

    if (list_parse(&list, v, e) != 0) {
        return -1;
    }
    list.query.key = span_str(text);
    list.query.limit = v->rows;
    list.query.has_after = false;
    if (query_ask(mirror_sqlite(v->mirror), &list.query,
                  v->route.format == ROUTE_CSV ? SINK_CSV : SINK_JSONL, v->out, &result, e) != 0) {
        return -1;
    }
    return result.is_cut ? err_set(e, ERR_INPUT,
                                   "the list has more than %" PRIu64 " rows: narrow it, or ask "
                                   "nfpki-audit list, which has no limit",
                                   v->rows)
                         : 0;
}
