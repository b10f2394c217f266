/* SPDX-License-Identifier: Apache-2.0 */
#include "db/audit/report/rows.h"

#include "base/ossl.h"
#include "db/audit/out/terms.h"
#include "db/audit/report/plot.h"

enum { DAY = 86400, AHEAD = 90 };

static int
failed(sqlite3 *db, const char *what, struct err *e)
{
    return err_set(e, ERR_STORE, "report: %s: %s", what, sqlite3_errmsg(db));
}

static void
bind(sqlite3_stmt *statement, const char *name, int64_t value)
{
    const int at = sqlite3_bind_parameter_index(statement, name);

    if (at > 0) {
        (void)sqlite3_bind_int64(statement, at, value);
    }
}

int
rows_prepare(const struct report *r, const char *what, const char *sql, const struct rows_window *w,
             sqlite3_stmt **statement, struct err *e)
{
    sqlite3 *db = mirror_sqlite(r->mirror);

    if (sqlite3_prepare_v2(db, sql, -1, statement, NULL) != SQLITE_OK) {
        return failed(db, what, e);
    }
    bind(*statement, ":now", (int64_t)r->now);
    bind(*statement, ":from", w->from);
    bind(*statement, ":step", w->step);
    bind(*statement, ":steps", (int64_t)w->n);
    return 0;
}

int
rows_step(const struct report *r, const char *what, sqlite3_stmt *statement, struct err *e)
{
    const int result = sqlite3_step(statement);

    return result == SQLITE_ROW    ? 1
           : result == SQLITE_DONE ? 0
                                   : failed(mirror_sqlite(r->mirror), what, e);
}

int
rows_window(const struct report *r, struct rows_window *w, struct err *e)
{
    CLEANUP(statement_cleanup) sqlite3_stmt *statement = NULL;
    int64_t days;

    *w = (struct rows_window){0};
    if (rows_prepare(r, "time", "SELECT min(time), max(time) FROM leaves", w, &statement, e) != 0 ||
        rows_step(r, "time", statement, e) < 0) {
        return -1;
    }
    w->from = sqlite3_column_int64(statement, 0) / DAY * DAY;
    days = (sqlite3_column_int64(statement, 1) - w->from) / DAY + 1;
    w->step = (days + PLOT_POINTS - 1) / PLOT_POINTS * DAY;
    w->n = (size_t)((days * DAY + w->step - 1) / w->step);
    return 0;
}

struct rows_window
rows_window_of(const struct report *r, const struct section *s, const struct rows_window *record)
{
    return s->look == LOOK_AHEAD
               ? (struct rows_window){.from = (int64_t)r->now, .step = DAY, .n = AHEAD}
               : *record;
}

/* ---- a row ---- */

size_t
rows_columns(const struct section *s)
{
    size_t n = 0;

    while (n < SECTION_COLUMNS && s->columns[n].name != NULL) {
        n++;
    }
    return n;
}

static struct cell
text_cell(const char *text)
{
    return (struct cell){.kind = CELL_TEXT, .text = span_str(text)};
}

/* A number by its name, or as it is. */
static struct cell
term_cell(const char *name, int64_t number)
{
    return name != NULL ? text_cell(name) : (struct cell){.kind = CELL_INT, .number = number};
}

/* The day of a step, which `keep` has then. */
static struct cell
day_cell(time_t at, char **keep)
{
    char text[TIME_TEXT_SIZE];

    time_format(at, text);
    mem_free(*keep);
    *keep = mem_printf("%.10s", text);
    return text_cell(*keep);
}

static void
say(struct cell *cell, enum as as, const struct rows_window *w, char **keep)
{
    const int64_t number = cell->number;

    if (cell->kind != CELL_INT) {
        return;
    }
    switch (as) {
    case AS_IS:
    case AS_SHOWN:
        return;
    case AS_TIME:
        cell->kind = CELL_TIME;
        return;
    case AS_CRL_REASON:
        *cell = term_cell(term_crl_reason(number), number);
        return;
    case AS_FAIL_INFO:
        *cell = term_cell(term_fail_info(number), number);
        return;
    case AS_STEP:
        *cell = day_cell((time_t)(w->from + number * w->step), keep);
        return;
    }
}

int
rows_tell(const struct report *r, const struct section *s, const struct rows_window *w,
          rows_told *told, void *arg, struct err *e)
{
    CLEANUP(statement_cleanup) sqlite3_stmt *statement = NULL;
    CLEANUP(cells_free) struct cells cells = {0};
    const size_t n = rows_columns(s);
    int result;

    if (rows_prepare(r, s->id, s->sql, w, &statement, e) != 0) {
        return -1;
    }
    while ((result = rows_step(r, s->id, statement, e)) == 1) {
        cells_read(&cells, statement, n);
        for (size_t i = 0; i < n; i++) {
            say(&cells.cell[i], s->columns[i].type, w, &cells.hex[i]);
        }
        told(arg, s, sqlite3_column_int64(statement, 0), cells.cell, n);
    }
    return result;
}
