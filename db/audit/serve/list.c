/* SPDX-License-Identifier: Apache-2.0 */
#include "db/audit/serve/list.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "db/audit/report/page.h"

/* ---- what was asked ---- */

static int
take_number(const char *name, const char *typed, uint64_t most, uint64_t *out, struct err *e)
{
    const size_t digits = strspn(typed, "0123456789");

    *out = digits == 0 || digits > 15 ? UINT64_MAX : strtoull(typed, NULL, 10);
    return typed[digits] == '\0' && *out <= most
               ? 0
               : err_set(e, ERR_INPUT, "%s is a number, at most %" PRIu64, name, most);
}

static int
take_column(struct list *list, const char *name, struct err *e)
{
    const size_t n = strlen(list->columns);

    if (strlen(name) + 2 > sizeof(list->columns) - n) {
        return err_set(e, ERR_INPUT, "too many columns");
    }
    (void)snprintf(list->columns + n, sizeof(list->columns) - n, "%s%s", n == 0 ? "" : ",", name);
    list->query.columns = list->columns;
    return 0;
}

static int
take_way(struct list *list, const char *value, struct err *e)
{
    if (strcmp(value, "up") != 0 && strcmp(value, "down") != 0) {
        return err_set(e, ERR_INPUT, "way is up or down");
    }
    list->query.descending = value[0] == 'd';
    return 0;
}

static int
take_filter(struct list *list, const char *name, const char *value, struct err *e)
{
    const struct noun *noun = list->query.noun;

    for (int f = 0; f < FILTERS; f++) {
        if (noun->conditions[f] != NULL && strcmp(name, filter_option((enum filter)f)) == 0) {
            list->query.filters.typed[f] = value;
            return 0;
        }
    }
    (void)err_set(e, ERR_INPUT,
                  "%s cannot be asked for that; they have column, sort, way, after, rows, as-of",
                  noun->name);
    for (int f = 0; f < FILTERS; f++) {
        const size_t n = strlen(e->text);

        if (noun->conditions[f] != NULL) {
            (void)snprintf(e->text + n, sizeof(e->text) - n, ", %s", filter_option((enum filter)f));
        }
    }
    return -1;
}

static int
take(struct list *list, const char *name, const char *value, struct err *e)
{
    if (strcmp(name, "column") == 0) {
        return take_column(list, value, e);
    }
    if (strcmp(name, "sort") == 0) {
        list->query.sort = value;
        return 0;
    }
    if (strcmp(name, "way") == 0) {
        return take_way(list, value, e);
    }
    if (strcmp(name, "after") == 0) {
        list->query.has_after = true;
        return take_number(name, value, INT64_MAX, &list->query.after, e);
    }
    if (strcmp(name, "rows") == 0) {
        return take_number(name, value, LIST_ROWS_MAX, &list->query.limit, e);
    }
    if (strcmp(name, "as-of") == 0) {
        list->as_of = value;
        return filter_time_parse(value, true, &list->query.now, e);
    }
    return take_filter(list, name, value, e);
}

static bool
is_twice(const struct form *form, size_t i)
{
    for (size_t k = 0; k < i; k++) {
        if (strcmp(form->fields[k].name, form->fields[i].name) == 0) {
            return strcmp(form->fields[i].name, "column") != 0;
        }
    }
    return false;
}

int
list_parse(struct list *list, const struct visit *v, struct err *e)
{
    *list = (struct list){
        .query = {.noun = v->route.noun, .limit = LIST_ROWS, .is_page = true, .now = v->now}};
    for (size_t i = 0; i < v->form.n; i++) {
        if (is_twice(&v->form, i)) {
            return err_set(e, ERR_INPUT, "one thing is asked twice");
        }
        if (take(list, v->form.fields[i].name, v->form.fields[i].value, e) != 0) {
            return -1;
        }
    }
    if (list->query.limit == 0) {
        list->query.limit = LIST_ROWS;
    }
    return query_check(&list->query, e);
}

/* ---- the same, as a path ---- */

static void
add(FILE *out, bool *any, const char *name, const char *value)
{
    (void)fprintf(out, "%s%s=", *any ? "&amp;" : "?", name);
    page_part(out, span_str(value));
    *any = true;
}

static void
add_columns(FILE *out, bool *any, const char *columns)
{
    CLEANUP(mem_cleanup) char *copy = mem_strdup(columns == NULL ? "" : columns);
    char *rest = copy;

    for (char *name = strsep(&rest, ","); name != NULL && *name != '\0';
         name = strsep(&rest, ",")) {
        add(out, any, "column", name);
    }
}

char *
list_path(const struct list *list, const struct list_turn *turn)
{
    const struct query *q = &list->query;
    char *text = NULL;
    size_t n = 0;
    FILE *out = open_memstream(&text, &n);
    bool any = false;
    char number[32];

    assert(out != NULL);
    (void)fprintf(out, "/%s%s", q->noun->name, turn->suffix);
    for (int f = 0; f < FILTERS; f++) {
        if (q->filters.typed[f] != NULL) {
            add(out, &any, filter_option((enum filter)f), q->filters.typed[f]);
        }
    }
    add_columns(out, &any, q->columns);
    if (list->as_of != NULL) {
        add(out, &any, "as-of", list->as_of);
    }
    if (turn->sort != NULL) {
        add(out, &any, "sort", turn->sort);
    }
    if (turn->descending) {
        add(out, &any, "way", "down");
    }
    if (q->limit != LIST_ROWS) {
        (void)snprintf(number, sizeof(number), "%" PRIu64, q->limit);
        add(out, &any, "rows", number);
    }
    if (turn->has_after) {
        (void)snprintf(number, sizeof(number), "%" PRIu64, turn->after);
        add(out, &any, "after", number);
    }
    assert(fclose(out) == 0);
    return text;
}
