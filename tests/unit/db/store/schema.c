/* SPDX-License-Identifier: Apache-2.0 */
#include "db/store/schema.h"

#include <sqlite3.h>
#include <string.h>

#include "tests/support/test.h"
#include "tests/support/tmpdir.h"
#include "tests/support/verb.h"

enum { TEXT_MAX = 4096 };

static const struct store_migration first[] = {
    {1, "CREATE TABLE a (x INTEGER PRIMARY KEY AUTOINCREMENT, y TEXT UNIQUE) STRICT"}, {0, NULL}};
static const struct store_migration others[] = {
    {2, "CREATE INDEX a_y ON a (y) WHERE y IS NOT NULL; ALTER TABLE a ADD COLUMN z BLOB"},
    {3, "CREATE TRIGGER a_stays BEFORE DELETE ON a BEGIN SELECT RAISE(ABORT, 'no'); END"},
    {0, NULL}};

struct looking {
    const char *edit; /* NULL: nothing */
    char said[TEXT_MAX];
};

static void
add(void *arg, const char *what)
{
    struct looking *l = arg;

    (void)strncat(l->said, what, sizeof(l->said) - strlen(l->said) - 2);
    (void)strncat(l->said, "\n", 2);
}

static int
do_look(struct store_db *db, void *arg, struct err *e)
{
    static const struct store_migration *const schemas[STORE_SCHEMAS_MAX] = {others, first};
    struct looking *l = arg;

    if (l->edit != NULL) {
        assert_ok(store_exec(db, l->edit, STORE_NO_VALUES, e), e);
    }
    assert_ok(store_check_schema(db, schemas, add, l, e), e);
    return err_set(e, ERR_DENIED, "not to be kept");
}

static void
each_difference_is_told(void **state)
{
    static const struct {
        const char *edit;
        const char *says;
    } rows[] = {
        {NULL, ""},
        {"INSERT INTO a(y) VALUES('x')", ""},
        {"DROP TRIGGER a_stays", "trigger a_stays: missing\n"},
        {"DROP INDEX a_y", "index a_y: missing\n"},
        {"DROP TABLE a", "index a_y: missing\nindex sqlite_autoindex_a_1: missing\n"
                         "table a: missing\ntrigger a_stays: missing\n"},
        {"CREATE TRIGGER mine AFTER INSERT ON a BEGIN DELETE FROM a; END",
         "trigger mine: not ours\n"},
        {"CREATE TEMP TRIGGER passing AFTER INSERT ON a BEGIN DELETE FROM a; END", ""},
        {"CREATE VIEW seen AS SELECT 1", "view seen: not ours\n"},
        {"CREATE TABLE b (x INTEGER)", "table b: not ours\n"},
        {"ALTER TABLE a ADD COLUMN more TEXT", "table a: another one\n"},
        {"ALTER TABLE a RENAME COLUMN z TO zz", "table a: another one\n"},
        {"ALTER TABLE a RENAME TO b", "index a_y: another one\n"
                                      "index sqlite_autoindex_a_1: missing\ntable a: missing\n"
                                      "trigger a_stays: another one\n"
                                      "index sqlite_autoindex_b_1: not ours\n"
                                      "table b: not ours\n"},
        {"PRAGMA user_version = 2", "schema 2, this program's is 3\n"},
        {"PRAGMA user_version = 4", "schema 4, this program's is 3\n"},
    };
    CLEANUP(tmpdir_cleanup) char *dir = tmpdir_new();
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/a.db", dir);
    const struct store_options options = {
        .path = path, .application = 1, .schemas = {first, others}};
    struct store *store;
    struct err e = {0};

    (void)state;
    store = store_open(&options, &e);
    assert_non_null(store);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct looking l = {.edit = rows[i].edit};

        assert_err(verb_call(store, do_look, &l, &e), ERR_DENIED, &e);
        if (strcmp(l.said, rows[i].says) != 0) {
            fail_msg("%s: %s", rows[i].edit == NULL ? "nothing" : rows[i].edit, l.said);
        }
    }
    store_free(store);
}

/* SQLite lets nobody make one with such a name, but whoever can write the file can: it would run,
 * and what it does would get seals. */
static void
a_name_of_sqlites_own_hides_nothing(void **state)
{
    static const char forged[] =
        "PRAGMA writable_schema = ON; INSERT INTO sqlite_schema VALUES('trigger', 'sqlite_mine', "
        "'a', "
        "0, 'CREATE TRIGGER sqlite_mine AFTER INSERT ON a BEGIN DELETE FROM a; END')";
    CLEANUP(tmpdir_cleanup) char *dir = tmpdir_new();
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/a.db", dir);
    const struct store_options options = {
        .path = path, .application = 1, .schemas = {first, others}};
    struct looking l = {0};
    struct store *store;
    sqlite3 *file;
    struct err e = {0};

    (void)state;
    store = store_open(&options, &e);
    assert_non_null(store);
    store_free(store);
    assert_int_equal(sqlite3_open(path, &file), SQLITE_OK);
    assert_int_equal(sqlite3_exec(file, forged, NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_close(file), SQLITE_OK);
    store = store_open(&options, &e);
    assert_non_null(store);
    assert_err(verb_call(store, do_look, &l, &e), ERR_DENIED, &e);
    assert_string_equal(l.said, "trigger sqlite_mine: not ours\n");
    store_free(store);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_difference_is_told),
        cmocka_unit_test(a_name_of_sqlites_own_hides_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
