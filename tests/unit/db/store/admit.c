/* SPDX-License-Identifier: Apache-2.0 */
/* Who looks before anything is changed, and says no, leaves no trace. */
#include <sqlite3.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "db/store/batch.h"
#include "tests/support/test.h"
#include "tests/unit/db/store/scene.h"

enum { FILE_MAX = 1024 * 1024 };

/* ---- what is there ---- */

static const char *const names[] = {"", "-wal", "-shm", "-journal"};

struct files {
    bool there[ARRAY_LEN(names)];
    struct buf octets[ARRAY_LEN(names)];
};

static void
look(const struct scene *f, struct files *out)
{
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        CLEANUP(mem_cleanup) char *path = mem_printf("%s%s", f->path, names[i]);
        struct err e = {0};

        out->octets[i] = BUF_INIT(FILE_MAX);
        out->there[i] = access(path, F_OK) == 0;
        if (out->there[i]) {
            assert_ok(file_read(path, &out->octets[i], &e), &e);
        }
    }
}

static void
must_be_same(const char *row, const struct files *a, const struct files *b)
{
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        if (a->there[i] != b->there[i] ||
            !span_equal(buf_span(&a->octets[i]), buf_span(&b->octets[i]))) {
            fail_msg("%s: a.db%s was changed", row, names[i]);
        }
    }
}

static void
forget(struct files *files)
{
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        buf_free(&files->octets[i]);
    }
}

/* ---- how it got there ---- */

enum made {
    NOTHING,   /* an empty file */
    CLOSED,    /* by a process that ended in order */
    KILLED,    /* so that the WAL has all of it */
    OLDER,     /* an older schema, with a WAL */
    COPIED,    /* by VACUUM INTO: no WAL is used there */
    EMPTY_WAL, /* beside a file that needs none */
};

static void
run_sql(const char *path, const char *sql)
{
    sqlite3 *db = NULL;

    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK) {
        fail_msg("%s: %s", sql, sqlite3_errmsg(db));
    }
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

/* A process that adds an item and is killed. */
static void
add_and_die(const struct scene *f, bool older)
{
    const struct store_options options = {.path = f->path,
                                          .application = SCENE_APPLICATION,
                                          .schemas = {scene_first, older ? NULL : scene_second}};
    int status = -1;
    pid_t child = fork();

    if (child == 0) {
        struct err e = {0};
        struct store *store = store_open(&options, &e);

        _exit(store != NULL && scene_insert(store, "a", 7, &e) == 0 ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

static void
make(const struct scene *f, enum made made)
{
    CLEANUP(mem_cleanup) char *copy = mem_printf("%s.copy", f->path);
    CLEANUP(mem_cleanup) char *wal = mem_printf("%s-wal", f->path);
    CLEANUP(mem_cleanup) char *into = mem_printf("VACUUM INTO '%s'", copy);
    struct err e = {0};

    if (made == NOTHING) {
        assert_ok(file_write(f->path, span_of(NULL, 0), 0600, &e), &e);
        return;
    }
    add_and_die(f, made == OLDER);
    if (made == CLOSED || made == EMPTY_WAL) {
        store_free(scene_must_open(f));
    }
    if (made == EMPTY_WAL) {
        assert_ok(file_write(wal, span_of(NULL, 0), 0600, &e), &e);
    }
    if (made == COPIED) {
        run_sql(f->path, into);
        (void)unlink(wal);
        assert_int_equal(rename(copy, f->path), 0);
        assert_int_equal(chmod(f->path, 0600), 0);
    }
}

/* ---- who looks ---- */

struct guard {
    bool says_no;
    int64_t items; /* that it saw; -1: no table */
    int64_t schema;
};

static int64_t
number(struct store_db *db, const char *sql)
{
    CLEANUP(store_end) struct store_rows rows = {0};
    struct err e = {0};

    assert_ok(store_query_one(db, &rows, sql, STORE_NO_VALUES, &e), &e);
    return row_int(&rows, 0);
}

/* More than the cache has room for. */
static int
write_much(void *arg, struct store_db *db, struct err *e)
{
    const int *result = arg;

    assert_ok(store_exec(db,
                         "INSERT INTO item(name, number) WITH RECURSIVE n(i) AS (SELECT 1 UNION "
                         "ALL SELECT i + 1 FROM n WHERE i < 4000) SELECT hex(randomblob(1000)) || "
                         "i, i FROM n",
                         STORE_NO_VALUES, e),
              e);
    assert_int_equal(number(db, "SELECT count(*) FROM item WHERE length(name) > 1000"), 4000);
    return *result == 0 ? 0 : err_set(e, ERR_DENIED, "tried");
}

static void
try_much(struct store_db *db, int result)
{
    struct err e = {0};

    assert_int_equal(store_try(db, write_much, &result, &e), result);
    assert_int_equal(e.code, result == 0 ? ERR_NONE : ERR_DENIED);
    assert_int_equal(number(db, "SELECT count(*) FROM item WHERE length(name) > 1000"), 0);
}

static int
admit(void *arg, struct store_db *db, struct err *e)
{
    struct guard *guard = arg;

    guard->schema = number(db, "PRAGMA user_version");
    guard->items = number(db, "SELECT count(*) FROM sqlite_schema WHERE name = 'item'") == 0
                       ? -1
                       : number(db, "SELECT count(*) FROM item WHERE number = 7");
    if (guard->items >= 0) {
        try_much(db, 0);
        try_much(db, -1);
    }
    assert_int_equal(store_is_current(db), guard->schema == 2);
    return guard->says_no ? err_set(e, ERR_STALE, "no") : 0;
}

static struct store *
open_guarded(const struct scene *f, struct guard *guard, struct err *e)
{
    const struct store_options options = {.path = f->path,
                                          .application = SCENE_APPLICATION,
                                          .schemas = {scene_first, scene_second},
                                          .integrity_check = true,
                                          .admit = admit,
                                          .admit_arg = guard};

    return store_open(&options, e);
}

static void
what_is_refused_stays_octet_by_octet(void **state)
{
    static const struct {
        const char *name;
        enum made made;
        int64_t items;
        int64_t schema;
    } rows[] = {
        {"an empty file", NOTHING, -1, 0},         {"a file that was closed", CLOSED, 1, 2},
        {"a file with a WAL", KILLED, 1, 2},       {"an older schema", OLDER, 1, 1},
        {"a file that uses no WAL", COPIED, 1, 2}, {"an empty WAL", EMPTY_WAL, 1, 2},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct scene f = scene_new();
        struct guard guard = {.says_no = true};
        struct files before;
        struct files after;
        struct store *store;
        struct err e = {0};

        make(&f, rows[i].made);
        look(&f, &before);
        assert_null(open_guarded(&f, &guard, &e));
        assert_int_equal(e.code, ERR_STALE);
        assert_string_equal(e.text, "no");
        look(&f, &after);
        must_be_same(rows[i].name, &before, &after);
        if (guard.items != rows[i].items || guard.schema != rows[i].schema) {
            fail_msg("%s: %d items of schema %d", rows[i].name, (int)guard.items,
                     (int)guard.schema);
        }
        guard.says_no = false;
        store = open_guarded(&f, &guard, &e);
        if (store == NULL || guard.items != rows[i].items) {
            fail_msg("%s: %s", rows[i].name, e.text);
        }
        assert_int_equal(scene_number(store, "PRAGMA user_version"), 2);
        assert_int_equal(scene_number(store, "SELECT count(*) FROM item"),
                         rows[i].items < 0 ? 0 : 1);
        store_free(store);
        forget(&before);
        forget(&after);
        scene_end(&f);
    }
}

static int
try_in_operation(struct store_op *op, struct store_db *db, struct err *e)
{
    struct sql_op *o = CONTAINER_OF(op, struct sql_op, op);

    (void)e;
    assert_true(store_is_current(db));
    try_much(db, 0);
    o->answer = number(db, "SELECT count(*) FROM item");
    try_much(db, -1);
    return 0;
}

/* What the operation did itself is kept. */
static void
a_trial_within_an_operation_is_undone_alone(void **state)
{
    struct scene f = scene_new();
    struct store *store = scene_must_open(&f);
    struct sql_op o = {.op.run = try_in_operation};
    struct err e = {0};

    (void)state;
    assert_ok(scene_insert(store, "a", 7, &e), &e);
    assert_ok(store_call(store, &o.op, &e), &e);
    assert_int_equal(o.answer, 1);
    assert_int_equal(scene_number(store, "SELECT count(*) FROM item"), 1);
    store_free(store);
    scene_end(&f);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_refused_stays_octet_by_octet),
        cmocka_unit_test(a_trial_within_an_operation_is_undone_alone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
