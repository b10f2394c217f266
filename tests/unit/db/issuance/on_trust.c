/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A state from before seals: whoever edits a column of a row is found by what is compared before it
 * is sealed, or the column is named as one that is taken on trust. By the schema, so that a new
 * column is not forgotten: every column of every row is edited, and a row of each table copied.
 */
#include "db/issuance/on_trust.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/db/by_schema.h"
#include "tests/unit/db/issuance/whole.h"

enum { NAMES_MAX = 4096 };

struct editing {
    const char *sql;
    bool found; /* by what is compared, or not possible */
};

static int
do_edit(struct store_db *db, void *arg, struct err *e)
{
    struct editing *x = arg;
    struct err why = {0};

    x->found = store_exec(db, x->sql, STORE_NO_VALUES, &why) != 0 ||
               issuance_check(db, &why) != 0 || issuance_settings_check(db, &why) != 0;
    return err_set(e, ERR_DENIED, "not to be kept");
}

static bool
is_found(struct store *store, const char *sql)
{
    struct editing x = {.sql = sql};
    struct err e = {0};

    assert_err(verb_call(store, do_edit, &x, &e), ERR_DENIED, &e);
    return x.found;
}

enum naming { NOT, BY_ITSELF, WITH_OTHERS };

static enum naming
how_named(const char *names, const char *table, const char *column)
{
    static const struct {
        const char *table;
        const char *column; /* NULL: any */
        const char *name;   /* NULL: it is compared with what was signed, at each use */
    } others[] = {
        {"public_key", NULL, "keys of no certificate"},
        {"crl", "rows", "reserved numbers of CRLs"},
        {"registration", "json", NULL},
    };
    CLEANUP(mem_cleanup) char *all = mem_printf(" %s,", names);
    CLEANUP(mem_cleanup) char *whole = mem_printf(" %s,", table);
    CLEANUP(mem_cleanup) char *one = mem_printf(" %s.%s,", table, column);

    for (size_t i = 0; i < ARRAY_LEN(others); i++) {
        if (strcmp(others[i].table, table) == 0 &&
            (others[i].column == NULL || strcmp(others[i].column, column) == 0) &&
            (others[i].name == NULL || strstr(names, others[i].name) != NULL)) {
            return WITH_OTHERS;
        }
    }
    if (strstr(all, whole) != NULL) {
        return WITH_OTHERS;
    }
    return strstr(all, one) != NULL ? BY_ITSELF : NOT;
}

/* SQL that the store prepared stays as long as the store: it knows it by its address. */
struct texts {
    char **all;
    size_t n, capacity;
};

static const char *
keep(struct texts *t, char *text)
{
    t->all = mem_grow(t->all, &t->capacity, t->n + 1, sizeof(t->all[0]));
    t->all[t->n++] = text;
    return text;
}

static void
texts_free(struct texts *t)
{
    for (size_t i = 0; i < t->n; i++) {
        mem_free(t->all[i]);
    }
    mem_free(t->all);
}

struct sweep {
    sqlite3 *raw; /* a copy: ca.db is locked */
    struct store *store;
    const char *names;
    struct texts texts;
    int wrong;
};

static void
expect(struct sweep *s, const char *table, const char *column, bool found)
{
    const enum naming naming = how_named(s->names, table, column);

    if (found ? naming == BY_ITSELF : naming == NOT) {
        print_error("%s.%s: %s\n", table, column,
                    found ? "is compared, and named as taken on trust" : "nobody compares it");
        s->wrong++;
    }
}

/* Of a refused request decides that it was, and of a number that was reserved for a CRL that it is
 * taken; the rest of such a row is read by nobody, and named as one. */
static bool
decides(sqlite3 *raw, const char *name, const char *row)
{
    const char *but = strcmp(name, "request") == 0 ? "state = 2"
                      : strcmp(name, "crl") == 0   ? "der IS NULL"
                                                   : "0";
    CLEANUP(mem_cleanup)
    char *sql = mem_printf("SELECT 1 FROM %s WHERE %s AND NOT (%s)", name, row, but);
    CLEANUP(mem_cleanup) char *found = by_schema_text(raw, sql);

    return found != NULL;
}

/* Each of its columns in each of its rows; another row. */
static void
sweep_table(struct sweep *s, const char *name)
{
    const struct table t = by_schema_table(s->raw, name);
    CLEANUP(mem_cleanup) char *copy = by_schema_copy(&t);

    for (size_t c = 0; c < t.n; c++) {
        CLEANUP(mem_cleanup) char *value = by_schema_another(&t.columns[c]);
        bool found = true;

        for (int64_t i = 0; i < t.rows && found; i++) {
            CLEANUP(mem_cleanup) char *row = by_schema_row(s->raw, &t, i);

            found = !decides(s->raw, name, row) ||
                    is_found(s->store,
                             keep(&s->texts, mem_printf("UPDATE %s SET \"%s\" = %s WHERE %s", name,
                                                        t.columns[c].name, value, row)));
        }
        expect(s, name, t.columns[c].name, found);
    }
    expect(s, name, "rows",
           is_found(s->store, keep(&s->texts, mem_printf("INSERT INTO %s SELECT %s FROM %s LIMIT 1",
                                                         name, copy, name))));
}

static int
do_names(struct store_db *db, void *arg, struct err *e)
{
    return issuance_on_trust(db, arg, e);
}

/* Whoever edits takes the triggers away, and here the seals, too. */
static void
take_triggers(const struct whole *w)
{
    CLEANUP(mem_cleanup) char *seals = mem_printf("%s-seal", w->path);
    CLEANUP(mem_cleanup) char *drops = NULL;
    sqlite3 *db = NULL;

    whole_copy(w->original, w->path);
    assert_int_equal(unlink(seals), 0);
    assert_int_equal(sqlite3_open(w->path, &db), SQLITE_OK);
    drops = by_schema_text(db, "SELECT group_concat('DROP TRIGGER ' || name, ';') FROM "
                               "main.sqlite_schema WHERE type = 'trigger'");
    assert_int_equal(sqlite3_exec(db, drops, NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static void
what_no_leaf_has_is_named(void **state)
{
    struct whole *w = *state;
    CLEANUP(buf_free) struct buf names = BUF_INIT(NAMES_MAX);
    struct sweep s = {0};
    CLEANUP(mem_cleanup) char *tables = NULL;
    char *rest;
    struct err e = {0};

    take_triggers(w);
    s.store = scene_open(w->s->dir);
    assert_int_equal(sqlite3_open(w->original, &s.raw), SQLITE_OK);
    assert_ok(verb_call(s.store, do_names, &names, &e), &e);
    assert_ok(buf_append(&names, span_of("", 1), &e), &e);
    s.names = (const char *)names.p;
    assert_false(is_found(s.store, "SELECT 1"));
    /* The record itself is not compared with rows. */
    tables =
        by_schema_text(s.raw, "SELECT group_concat(name, ' ') FROM main.sqlite_schema WHERE "
                              "type = 'table' AND name NOT IN ('leaf', 'completed', 'checkpoint', "
                              "'attempted', 'sqlite_sequence')");
    rest = tables;
    for (const char *name; (name = strsep(&rest, " ")) != NULL;) {
        sweep_table(&s, name);
    }
    assert_int_equal(s.wrong, 0);
    assert_int_equal(sqlite3_close(s.raw), SQLITE_OK);
    store_free(s.store);
    texts_free(&s.texts);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_no_leaf_has_is_named, whole_setup, whole_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
