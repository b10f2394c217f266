/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/db/edited.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "db/store/batch.h"
#include "tests/support/test.h"
#include "tests/unit/db/by_schema.h"

enum {
    ANSWERS_MAX = 4 * 1024 * 1024,
    DATABASE_MAX = 64 * 1024 * 1024,
    PAGE = 4096,
    SQL = BY_SCHEMA_SQL
};

static const char *const places[EDITED_PLACES] = {"at the start", "at its use", "by the scrub",
                                                  "not at all"};

/* ---- the file ---- */

struct sweep {
    const struct edited *of;
    char *baseline; /* what all uses say */
    size_t counts[EDITED_PLACES];
    size_t edits;
    int failures;
    bool all;
};

static void
copy(const char *from, const char *to)
{
    CLEANUP(buf_free) struct buf octets = BUF_INIT(DATABASE_MAX);
    struct err e = {0};

    assert_ok(file_read(from, &octets, &e), &e);
    assert_ok(file_write(to, buf_span(&octets), 0600, &e), &e);
}

/* The original with its seals, and nothing that an opening left. */
static void
restore(const struct edited *of)
{
    CLEANUP(mem_cleanup) char *from = mem_printf("%s-seal", of->original);
    CLEANUP(mem_cleanup) char *to = mem_printf("%s-seal", of->path);
    CLEANUP(mem_cleanup) char *wal = mem_printf("%s-wal", of->path);

    copy(of->original, of->path);
    copy(from, to);
    (void)unlink(wal);
}

/* SQLite marks each change in page 1, too: whoever edits puts that one back. False: no other page
 * differs. */
static bool
splice(const struct edited *of)
{
    CLEANUP(buf_free) struct buf was = BUF_INIT(DATABASE_MAX);
    CLEANUP(buf_free) struct buf is = BUF_INIT(DATABASE_MAX);
    bool differs = false;
    struct err e = {0};

    assert_ok(file_read(of->original, &was, &e), &e);
    assert_ok(file_read(of->path, &is, &e), &e);
    for (size_t at = PAGE; at < was.n && at < is.n; at += PAGE) {
        differs = differs || memcmp(was.p + at, is.p + at, PAGE) != 0;
        memcpy(was.p + at, is.p + at, PAGE);
    }
    restore(of);
    assert_ok(file_write(of->path, buf_span(&was), 0600, &e), &e);
    return differs;
}

static sqlite3 *
open_raw(const struct edited *w)
{
    CLEANUP(mem_cleanup)
    char *attach = mem_printf("ATTACH '%s' AS old; ATTACH '%s' AS original", w->older, w->original);
    sqlite3 *db = NULL;

    restore(w);
    assert_int_equal(sqlite3_open(w->path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db,
                                  "PRAGMA journal_mode = DELETE; PRAGMA synchronous = OFF;"
                                  "PRAGMA foreign_keys = OFF; PRAGMA recursive_triggers = OFF;"
                                  "PRAGMA ignore_check_constraints = ON;",
                                  NULL, NULL, NULL),
                     SQLITE_OK);
    assert_int_equal(sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, attach, NULL, NULL, NULL), SQLITE_OK);
    return db;
}

static int
run(sqlite3 *db, const char *sql)
{
    return sqlite3_exec(db, sql, NULL, NULL, NULL);
}

/* ---- what it is asked then ---- */

struct asking {
    const char *name;
    unsigned n;
    int (*ask)(void *arg, struct store_db *, struct buf *out, struct err *e);
    void *arg;
    struct buf *out;
};

/* Undone, whatever it did. */
static int
ask_one(void *arg, struct store_db *db, struct err *e)
{
    const struct asking *a = arg;
    struct err why = {0};
    char line[256];

    (void)snprintf(line, sizeof(line), "\n%s %u: ", a->name, a->n);
    if (buf_append_str(a->out, line, e) != 0) {
        return -1;
    }
    if (a->ask(a->arg, db, a->out, &why) == 0) {
        return err_set(e, ERR_DENIED, "not to be kept");
    }
    if (why.code == ERR_STALE || why.code == ERR_STORE) { /* it ends the program */
        *e = why;
        return -1;
    }
    (void)snprintf(line, sizeof(line), "%s", err_code_name(why.code));
    (void)buf_append_str(a->out, line, &why);
    return err_set(e, ERR_DENIED, "not to be kept");
}

int
edited_ask(struct store_db *db, const char *name, unsigned n,
           int (*ask)(void *arg, struct store_db *, struct buf *out, struct err *e), void *arg,
           struct buf *out, struct err *e)
{
    struct asking a = {.name = name, .n = n, .ask = ask, .arg = arg, .out = out};

    return store_part(db, ask_one, &a, e) != 0 && e->code != ERR_DENIED ? -1 : 0;
}

/* ---- one edit ---- */

static bool
is_left_out(const struct edited *of, const char *table)
{
    for (size_t i = 0; i < of->n_left_out; i++) {
        if (strcmp(of->left_out[i].table, table) == 0) {
            return true;
        }
    }
    return false;
}

static bool
is_allowed(const struct edited *of, const char *table, const char *column, enum edited_found at)
{
    for (size_t i = 0; i < of->n_allowed; i++) {
        const struct edited_allowed *a = &of->allowed[i];

        if (strcmp(a->table, table) == 0 &&
            (a->column == NULL || (column != NULL && strcmp(a->column, column) == 0)) &&
            at <= a->at) {
            return true;
        }
    }
    return false;
}

static bool
is_beginning(const struct buf *says, const char *baseline)
{
    /* the last line may be cut off */
    size_t n = says->n;

    while (n > 0 && says->p[n - 1] != '\n') {
        n--;
    }
    return strncmp((const char *)says->p, baseline, n) == 0;
}

/* An answer that is another one, of what came before it was found. */
static bool
is_believed(const struct sweep *s, enum edited_found at, const struct buf *says)
{
    switch (at) {
    case EDITED_OPEN:
        return false;
    case EDITED_USE:
        return !is_beginning(says, s->baseline);
    case EDITED_SCRUB:
    case EDITED_NEVER:
    case EDITED_PLACES:
        break;
    }
    return !span_equal(buf_span(says), span_str(s->baseline));
}

static void
show_difference(const struct sweep *s, const struct buf *says)
{
    size_t i = 0;
    size_t line = 0;

    while (i < says->n && s->baseline[i] == (char)says->p[i]) {
        line = s->baseline[i] == '\n' ? i + 1 : line;
        i++;
    }
    print_error("  was %.200s\n  is  %.*s\n", s->baseline + line,
                (int)(says->n - line > 200 ? 200 : says->n - line), (const char *)says->p + line);
}

static void
judge(struct sweep *s, const char *table, const char *column, const char *what)
{
    CLEANUP(buf_free) struct buf says = BUF_INIT(ANSWERS_MAX);
    struct err e = {0};
    const enum edited_found at = s->of->look(s->of->arg, &says, &e);
    const bool believed = is_believed(s, at, &says);

    s->counts[at]++;
    s->edits++;
    if (!believed &&
        (at == EDITED_OPEN || at == EDITED_USE || is_allowed(s->of, table, column, at))) {
        return;
    }
    s->failures++;
    print_error("%s.%s, %s: %s%s: %s\n", table, column == NULL ? "*" : column, what,
                believed ? "believed, then found " : "found ", places[at], e.text);
    if (believed) {
        show_difference(s, &says);
    }
}

/* Edits; whether there was anything to edit. */
static bool
edit(struct sweep *s, const char *sql, const char *table, const char *column, const char *what)
{
    sqlite3 *db = open_raw(s->of);
    CLEANUP(mem_cleanup)
    char *differs =
        mem_printf("SELECT (SELECT count(*) FROM (SELECT * FROM main.%s EXCEPT SELECT * "
                   "FROM original.%s)) + (SELECT count(*) FROM (SELECT * FROM "
                   "original.%s EXCEPT SELECT * FROM main.%s))",
                   table, table, table, table);
    CLEANUP(mem_cleanup) char *differing = NULL;
    bool changed;

    if (run(db, sql) != SQLITE_OK) {
        fail_msg("%s, %s: %s: %s", table, what, sql, sqlite3_errmsg(db));
    }
    differing = by_schema_text(db, differs);
    changed = strcmp(differing, "0") != 0;
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
    if (changed && splice(s->of)) {
        judge(s, table, column, what);
    }
    return changed;
}

/* ---- by the schema ---- */

static void
edit_columns(struct sweep *s, const struct table *t, const char *row)
{
    for (size_t c = 0; c < t->n; c++) {
        const struct column *column = &t->columns[c];
        CLEANUP(mem_cleanup) char *value = by_schema_another(column);
        CLEANUP(mem_cleanup)
        char *sql = mem_printf("UPDATE OR REPLACE main.%s SET \"%s\" = %s WHERE %s", t->name,
                               column->name, value, row);
        CLEANUP(mem_cleanup)
        char *null = mem_printf("UPDATE main.%s SET \"%s\" = NULL WHERE %s AND \"%s\" IS NOT NULL",
                                t->name, column->name, row, column->name);

        assert_true(edit(s, sql, t->name, column->name, "another value"));
        if (column->may_be_null) {
            (void)edit(s, null, t->name, column->name, "NULL");
        }
    }
}

static void
edit_row(struct sweep *s, const struct table *t, const char *row)
{
    CLEANUP(mem_cleanup) char *columns = by_schema_copy(t);
    CLEANUP(mem_cleanup) char *gone = mem_printf("DELETE FROM main.%s WHERE %s", t->name, row);
    CLEANUP(mem_cleanup)
    char *copy = mem_printf("INSERT OR REPLACE INTO main.%s SELECT %s FROM main.%s WHERE %s",
                            t->name, columns, t->name, row);

    assert_true(edit(s, gone, t->name, NULL, "deleted"));
    (void)edit(s, copy, t->name, NULL, "inserted"); /* one that has no key is no other row */
}

static void
empty(struct sweep *s, const struct table *t)
{
    CLEANUP(mem_cleanup) char *rows = mem_printf("DELETE FROM main.%s", t->name);

    assert_true(edit(s, rows, t->name, NULL, "emptied"));
}

/* All but the keys change places. */
static bool
swap(struct sweep *s, const struct table *t, const char *row, const char *other)
{
    char sql[SQL];
    size_t n = 0;

    n += (size_t)snprintf(sql + n, sizeof(sql) - n,
                          "CREATE TEMP TABLE a AS SELECT * FROM main.%s WHERE %s;"
                          "CREATE TEMP TABLE b AS SELECT * FROM main.%s WHERE %s;"
                          "DELETE FROM main.%s WHERE (%s) OR (%s);",
                          t->name, row, t->name, other, t->name, row, other);
    for (int side = 0; side < 2; side++) {
        n += (size_t)snprintf(sql + n, sizeof(sql) - n, "INSERT OR REPLACE INTO main.%s SELECT ",
                              t->name);
        for (size_t c = 0; c < t->n; c++) {
            n += (size_t)snprintf(sql + n, sizeof(sql) - n, "%s%s.\"%s\"", c == 0 ? "" : ", ",
                                  t->columns[c].is_key == (side == 0) ? "a" : "b",
                                  t->columns[c].name);
        }
        n += (size_t)snprintf(sql + n, sizeof(sql) - n, " FROM a, b;");
    }
    n += (size_t)snprintf(sql + n, sizeof(sql) - n, "DROP TABLE a; DROP TABLE b");
    assert_true(n < sizeof(sql));
    return edit(s, sql, t->name, NULL, "swapped with another");
}

/* Rows as they were a while before. */
static void
put_back(struct sweep *s, const struct table *t)
{
    CLEANUP(mem_cleanup)
    char *rows = mem_printf("INSERT OR REPLACE INTO main.%s SELECT * FROM old.%s EXCEPT SELECT * "
                            "FROM main.%s",
                            t->name, t->name, t->name);

    (void)edit(s, rows, t->name, NULL, "put back");
}

/* Each page that was another one a while before. */
static void
put_back_pages(struct sweep *s)
{
    CLEANUP(buf_free) struct buf is = BUF_INIT(DATABASE_MAX);
    CLEANUP(buf_free) struct buf was = BUF_INIT(DATABASE_MAX);
    struct err e = {0};

    assert_ok(file_read(s->of->original, &is, &e), &e);
    assert_ok(file_read(s->of->older, &was, &e), &e);
    for (size_t at = 0; at < is.n && at < was.n; at += PAGE) {
        CLEANUP(buf_free) struct buf all = BUF_INIT(DATABASE_MAX);

        if (memcmp(is.p + at, was.p + at, PAGE) != 0) {
            assert_ok(buf_set(&all, buf_span(&is), &e), &e);
            memcpy(all.p + at, was.p + at, PAGE);
            restore(s->of);
            assert_ok(file_write(s->of->path, buf_span(&all), 0600, &e), &e);
            judge(s, "page", NULL, "put back");
        }
    }
}

static void
edit_table(struct sweep *s, const char *name)
{
    sqlite3 *db = open_raw(s->of);
    const struct table t = by_schema_table(db, name);
    CLEANUP(mem_cleanup) char *last = by_schema_row(db, &t, t.rows - 1);
    bool swapped = false;

    if (t.rows == 0) {
        fail_msg("%s has no row: nobody fills it", name);
    }
    for (int64_t i = s->all ? 0 : t.rows - 1; i < t.rows; i++) {
        CLEANUP(mem_cleanup) char *row = by_schema_row(db, &t, i);

        edit_columns(s, &t, row);
        edit_row(s, &t, row);
    }
    for (int64_t i = 0; i < t.rows - 1 && !swapped; i++) {
        CLEANUP(mem_cleanup) char *other = by_schema_row(db, &t, i);

        swapped = swap(s, &t, last, other);
    }
    (void)sqlite3_close(db);
    empty(s, &t);
    put_back(s, &t);
}

void
edited_sweep(const struct edited *of)
{
    struct sweep s = {.of = of};
    CLEANUP(buf_free) struct buf says = BUF_INIT(ANSWERS_MAX);
    const char *mode = getenv("EDITS");
    sqlite3 *db = open_raw(s.of);
    CLEANUP(mem_cleanup)
    char *tables =
        by_schema_text(db, "SELECT group_concat(name, ' ') FROM main.sqlite_schema WHERE type = "
                           "'table'");
    struct err e = {0};
    char *rest = tables;

    s.all = mode != NULL && strcmp(mode, "all") == 0;
    (void)sqlite3_close(db);
    restore(of);
    if (of->look(of->arg, &says, &e) != EDITED_NEVER) { /* of what nobody edited */
        fail_msg("%s: %.*s", e.text, (int)says.n, (const char *)says.p);
    }
    s.baseline = mem_printf("%.*s", (int)says.n, (const char *)says.p);
    for (const char *name; (name = strsep(&rest, " ")) != NULL;) {
        if (!is_left_out(of, name)) {
            edit_table(&s, name);
        }
    }
    put_back_pages(&s);
    print_message("%zu edits: %zu found at the start, %zu before anything rested on them, %zu by "
                  "the scrub, %zu harmless\n",
                  s.edits, s.counts[EDITED_OPEN], s.counts[EDITED_USE], s.counts[EDITED_SCRUB],
                  s.counts[EDITED_NEVER]);
    mem_free(s.baseline);
    assert_int_equal(s.failures, 0);
}
