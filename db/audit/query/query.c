/* SPDX-License-Identifier: Apache-2.0 */
#include "db/audit/query/query.h"

#include <string.h>

#include "db/audit/out/terms.h"
#include "db/audit/query/cells.h"
#include "db/audit/query/words.h"

enum { SQL_MAX = 16 * 1024, EXTRA = 3 /* leaf, asOf, key */ };

/* The columns that are asked for. */
struct chosen {
    const struct noun_column *columns[NOUN_COLUMNS + EXTRA];
    const char *names[NOUN_COLUMNS + EXTRA];
    size_t n;
    const struct noun_column *sort; /* NULL: leaf */
};

/* ---- what is asked ---- */

static int
unknown_filter(const struct noun *noun, enum filter filter, struct err *e)
{
    (void)err_set(e, ERR_INPUT, "%s have no --%s, but", noun->name, filter_option(filter));
    for (int f = 0; f < FILTERS; f++) {
        if (noun->conditions[f] != NULL) {
            const size_t n = strlen(e->text);

            (void)snprintf(e->text + n, sizeof(e->text) - n, " --%s",
                           filter_option((enum filter)f));
        }
    }
    return -1;
}

static int
unknown_column(const struct noun *noun, const char *name, size_t length, struct err *e)
{
    (void)err_set(e, ERR_INPUT, "%s have no column %.*s, but", noun->name, (int)length, name);
    for (const struct noun_column *c = noun->columns; c->name != NULL; c++) {
        const size_t n = strlen(e->text);

        (void)snprintf(e->text + n, sizeof(e->text) - n, " %s", c->name);
    }
    return -1;
}

/* Of what was typed for this filter; NULL: it is a value of the column. */
static const struct noun_word *
word_of(const struct query *q, int filter)
{
    const struct noun_word *w = q->noun->statuses;

    while (w->word != NULL && filter == FILTER_STATUS &&
           strcmp(w->word, q->filters.typed[filter]) != 0) {
        w++;
    }
    return w->word != NULL && filter == FILTER_STATUS ? w : NULL;
}

/* What ends comes in the order of its end, unless somebody wants another one. */
static bool
is_by_end(const struct query *q)
{
    const struct noun_word *word =
        q->filters.typed[FILTER_STATUS] == NULL ? NULL : word_of(q, FILTER_STATUS);

    return q->sort == NULL &&
           (q->filters.typed[FILTER_EXPIRES_WITHIN] != NULL || (word != NULL && word->by_end));
}

static int
choose(const struct query *q, struct chosen *chosen, struct err *e)
{
    const char *at = q->columns == NULL ? q->noun->shown : q->columns;
    const struct noun_column *leaf = noun_column_find(q->noun, "leaf", strlen("leaf"));

    for (bool more = true; more;) {
        const size_t length = strcspn(at, ",");
        const struct noun_column *column = noun_column_find(q->noun, at, length);

        if (column == NULL) {
            return unknown_column(q->noun, at, length, e);
        }
        for (size_t i = 0; i < chosen->n; i++) {
            if (chosen->columns[i] == column) {
                return err_set(e, ERR_INPUT, "column %s twice", column->name);
            }
        }
        if (column != leaf) {
            chosen->columns[chosen->n] = column;
            chosen->names[chosen->n++] = column->name;
        }
        more = at[length] == ',';
        at += length + 1;
    }
    if (q->sort != NULL) {
        chosen->sort = noun_column_find(q->noun, q->sort, strlen(q->sort));
        if (chosen->sort == NULL) {
            return unknown_column(q->noun, q->sort, strlen(q->sort), e);
        }
        if (!noun_is_sorted_by(q->noun, q->sort)) {
            return err_set(e, ERR_INPUT, "%s come in the order of their leaves%s%s", q->noun->name,
                           q->noun->several ? "" : ", or by one of ",
                           q->noun->several ? "" : q->noun->sorted);
        }
        chosen->sort = chosen->sort == leaf ? NULL : chosen->sort;
    }
    if (is_by_end(q)) {
        chosen->sort = noun_column_find(q->noun, "notAfter", strlen("notAfter"));
    }
    chosen->columns[chosen->n] = leaf; /* the last one, wherever it was asked for */
    chosen->names[chosen->n++] = leaf->name;
    return 0;
}

/* Few rows pass one of these: by its index they are found. */
static bool
is_sharp(const struct query *q)
{
    static const enum filter sharp[] = {FILTER_NF,           FILTER_SERIAL, FILTER_REQUEST,
                                        FILTER_REGISTRATION, FILTER_NAME,   FILTER_SPKI};
    bool found = false;

    for (size_t i = 0; i < sizeof(sharp) / sizeof(sharp[0]); i++) {
        found = found || q->filters.typed[sharp[i]] != NULL;
    }
    return found;
}

static int
condition(const struct query *q, int filter, struct buf *sql, struct err *e)
{
    const struct noun_word *word = word_of(q, filter);
    const bool passed_over = word == NULL && (q->noun->common >> filter & 1) != 0 && is_sharp(q);

    return buf_append_str(sql, passed_over ? " AND (+" : " AND (", e) != 0 ||
                   buf_append_str(sql, word != NULL ? word->sql : q->noun->conditions[filter], e) !=
                       0
               ? -1
               : buf_append_str(sql, ")", e);
}

/* Behind the row of the leaf :after, whose value of the column is :at. NULL is before all. */
static int
behind(const struct query *q, const char *column, struct buf *sql, struct err *e)
{
    CLEANUP(mem_cleanup)
    char *text = mem_printf(" AND (%s %s :at OR (%s IS :at AND leaf %s :after) OR (:at IS %s NULL "
                            "AND %s IS %s NULL))",
                            column, q->descending ? "<" : ">", column, q->descending ? "<" : ">",
                            q->descending ? "NOT" : "", column, q->descending ? "" : "NOT");

    return buf_append_str(sql, text, e);
}

static int
order(const struct query *q, const struct chosen *chosen, struct buf *sql, struct err *e)
{
    const char *way = q->descending ? " DESC" : "";
    const char *column = chosen->sort == NULL ? NULL : chosen->sort->sql;
    CLEANUP(mem_cleanup)
    char *by = column == NULL ? mem_printf(" ORDER BY leaf%s", way)
                              : mem_printf(" ORDER BY %s%s, leaf%s", column, way, way);
    int failed = 0;

    if (q->has_after && column != NULL) {
        failed = behind(q, column, sql, e);
    } else if (q->has_after) {
        failed =
            buf_append_str(sql, q->descending ? " AND leaf < :after" : " AND leaf > :after", e);
    }
    return failed == 0 ? buf_append_str(sql, by, e) : -1;
}

/* Parts of noun.c's alone; what was typed is bound. */
static int
compose(const struct query *q, const struct chosen *chosen, struct buf *sql, struct err *e)
{
    int failed = buf_append_str(sql, "SELECT ", e);

    for (size_t i = 0; i < chosen->n; i++) {
        failed |= buf_append_str(sql, i == 0 ? "" : ", ", e);
        failed |= buf_append_str(sql, chosen->columns[i]->sql, e);
    }
    failed |= buf_append_str(sql, " FROM ", e);
    failed |= buf_append_str(sql, q->noun->view, e);
    failed |= buf_append_str(sql, " WHERE 1", e);
    for (int f = 0; f < FILTERS; f++) {
        if (q->filters.typed[f] == NULL) {
            continue;
        }
        if (q->noun->conditions[f] == NULL) {
            return unknown_filter(q->noun, (enum filter)f, e);
        }
        failed |= condition(q, f, sql, e);
    }
    failed |= order(q, chosen, sql, e);
    return failed == 0 ? buf_append(sql, SPAN_LITERAL("\0"), e) : -1;
}

/* ---- rows ---- */

static struct cell
term(const char *name, int64_t number)
{
    return name == NULL ? (struct cell){.kind = CELL_INT, .number = number}
                        : (struct cell){.kind = CELL_TEXT, .text = span_str(name)};
}

/* What a number means in its column. */
static struct cell
number_cell(enum column_kind kind, int64_t number)
{
    switch (kind) {
    case COLUMN_PLAIN:
        break;
    case COLUMN_TIME:
        return (struct cell){.kind = CELL_TIME, .number = number};
    case COLUMN_BOOL:
        return (struct cell){.kind = CELL_BOOL, .number = number};
    case COLUMN_REASON:
        return term(term_crl_reason(number), number);
    case COLUMN_FAILURE:
        return term(term_fail_info(number), number);
    }
    return (struct cell){.kind = CELL_INT, .number = number};
}

static void
row(const struct chosen *chosen, sqlite3_stmt *statement, struct cells *cells)
{
    cells_read(cells, statement, chosen->n);
    for (size_t i = 0; i < chosen->n; i++) {
        if (cells->cell[i].kind == CELL_INT) {
            cells->cell[i] = number_cell(chosen->columns[i]->kind, cells->cell[i].number);
        }
    }
}

/* Enough, and what comes now is not of the leaf of the last row where those stay together. */
static bool
is_enough(const struct query *q, const struct query_result *result, uint64_t leaf)
{
    return q->limit > 0 && result->rows >= q->limit && !(q->is_page && leaf == result->last);
}

static int
rows(const struct query *q, const struct chosen *chosen, sqlite3_stmt *statement, query_told *told,
     void *arg, struct query_result *result, struct err *e)
{
    CLEANUP(cells_free) struct cells cells = {0};
    int rc;

    while ((rc = sqlite3_step(statement)) == SQLITE_ROW) {
        const uint64_t leaf = (uint64_t)sqlite3_column_int64(statement, (int)chosen->n - 1);

        if (is_enough(q, result, leaf)) {
            result->is_cut = true;
            rc = SQLITE_DONE;
            break;
        }
        result->rows++;
        result->last = leaf;
        row(chosen, statement, &cells);
        told(arg, chosen->columns, cells.cell, chosen->n);
    }
    return statement_ended(statement, rc, e);
}

static void
bind_number(sqlite3_stmt *statement, const char *parameter, int64_t number)
{
    const int at = sqlite3_bind_parameter_index(statement, parameter);

    if (at > 0) {
        (void)sqlite3_bind_int64(statement, at, number);
    }
}

/* Where it goes on, and what the row there has in the column that is sorted by. */
static int
bind_after(sqlite3 *db, const struct query *q, const struct chosen *chosen, sqlite3_stmt *statement,
           struct err *e)
{
    CLEANUP(mem_cleanup) char *sql = NULL;
    CLEANUP(statement_cleanup) sqlite3_stmt *at = NULL;

    bind_number(statement, ":after", (int64_t)q->after);
    if (!q->has_after || chosen->sort == NULL) {
        return 0;
    }
    sql = mem_printf("SELECT %s FROM %s WHERE leaf = :after", chosen->sort->sql, q->noun->view);
    if (statement_prepare(db, sql, &at, e) != 0) {
        return -1;
    }
    bind_number(at, ":now", q->now);
    bind_number(at, ":after", (int64_t)q->after);
    if (sqlite3_step(at) != SQLITE_ROW) {
        return err_set(e, ERR_INPUT, "no row of %s has this leaf", q->noun->name);
    }
    (void)sqlite3_bind_value(statement, sqlite3_bind_parameter_index(statement, ":at"),
                             sqlite3_column_value(at, 0));
    return 0;
}

static int
prepare(sqlite3 *db, const struct query *q, struct chosen *chosen, sqlite3_stmt **statement,
        struct query_result *result, struct err *e)
{
    CLEANUP(buf_free) struct buf sql = BUF_INIT(SQL_MAX);

    *result = (struct query_result){.rows = 0};
    if (choose(q, chosen, e) != 0 || compose(q, chosen, &sql, e) != 0 ||
        words_ask(db, q->noun, &q->filters, e) != 0 ||
        statement_prepare(db, (const char *)sql.p, statement, e) != 0 ||
        filters_bind(&q->filters, q->now, *statement, e) != 0) {
        return -1;
    }
    result->has_clock = sqlite3_bind_parameter_index(*statement, ":now") > 0;
    return bind_after(db, q, chosen, *statement, e);
}

int
query_tell(sqlite3 *db, const struct query *q, query_told *told, void *arg,
           struct query_result *result, struct err *e)
{
    CLEANUP(statement_cleanup) sqlite3_stmt *statement = NULL;
    struct chosen chosen = {.n = 0};

    return prepare(db, q, &chosen, &statement, result, e) == 0
               ? rows(q, &chosen, statement, told, arg, result, e)
               : -1;
}

/* ---- rows, written ---- */

/* An object says on its own what it rests on, and when it was asked for where that matters. */
static struct sink *
open_sink(const struct chosen *chosen, enum sink_format format, FILE *out, bool has_clock,
          struct err *e)
{
    const char *names[NOUN_COLUMNS + EXTRA];
    size_t n = chosen->n;

    memcpy(names, chosen->names, n * sizeof(names[0]));
    if (format == SINK_JSONL) {
        names[n++] = "key";
    }
    if (format == SINK_JSONL && has_clock) {
        names[n++] = "asOf";
    }
    return sink_new(format, out, names, n, e);
}

int
query_check(const struct query *q, struct err *e)
{
    CLEANUP(buf_free) struct buf sql = BUF_INIT(SQL_MAX);
    struct chosen chosen = {.n = 0};

    return choose(q, &chosen, e) == 0 && compose(q, &chosen, &sql, e) == 0 &&
                   words_check(q->noun, &q->filters, e) == 0
               ? filters_bind(&q->filters, q->now, NULL, e)
               : -1;
}

struct writing {
    const struct query *q;
    struct sink *sink;
};

static void
write_row(void *arg, const struct noun_column *const *columns, const struct cell *cells, size_t n)
{
    const struct writing *w = arg;
    struct cell all[NOUN_COLUMNS + EXTRA];

    (void)columns;
    memcpy(all, cells, n * sizeof(all[0]));
    all[n] = (struct cell){.kind = CELL_VALUE, .text = w->q->key};
    all[n + 1] = (struct cell){.kind = CELL_TIME, .number = w->q->now};
    sink_row(w->sink, all);
}

int
query_ask(sqlite3 *db, const struct query *q, enum sink_format format, FILE *out,
          struct query_result *result, struct err *e)
{
    CLEANUP(statement_cleanup) sqlite3_stmt *statement = NULL;
    CLEANUP(sink_cleanup) struct sink *sink = NULL;
    struct chosen chosen = {.n = 0};
    struct writing w = {.q = q};
    int failed;

    if (prepare(db, q, &chosen, &statement, result, e) != 0) {
        return -1;
    }
    sink = open_sink(&chosen, format, out, result->has_clock, e);
    if (sink == NULL) {
        return -1;
    }
    w.sink = sink;
    failed = rows(q, &chosen, statement, write_row, &w, result, e);
    sink_end(sink);
    return failed;
}
