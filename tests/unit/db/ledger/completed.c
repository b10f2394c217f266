/* SPDX-License-Identifier: Apache-2.0 */
/* A record of before migration 31, which had the tree's hashes in rows of their own. */
#include <sqlite3.h>
#include <string.h>
#include <sys/stat.h>

#include "db/issuance/issuance.h"
#include "tests/support/test.h"
#include "tests/unit/db/issuance/go_back.h"
#include "tests/unit/db/ledger/scene.h"

enum { BEFORE = 300 };

static const char go_back[] = GO_BACK_TO_32
    "CREATE TABLE node (level INTEGER NOT NULL, idx INTEGER NOT NULL, hash BLOB NOT NULL, "
    "PRIMARY KEY (level, idx)) STRICT, WITHOUT ROWID;"
    "WITH RECURSIVE l(level) AS (SELECT 1 UNION ALL SELECT level + 1 FROM l WHERE level < 20) "
    "INSERT INTO node SELECT level, ((c.idx + 1) >> level) - 1, "
    "substr(c.hashes, (level - 1) * 32 + 1, 32) FROM completed c JOIN l ON length(c.hashes) >= "
    "level * 32;"
    "DROP TABLE completed; PRAGMA user_version = 30;";

static void
edit(struct scene *f, const char *sql)
{
    sqlite3 *db = NULL;
    char *text = NULL;

    store_free(f->store);
    f->store = NULL;
    assert_int_equal(sqlite3_open(f->database, &db), SQLITE_OK);
    if (sqlite3_exec(db, sql, NULL, NULL, &text) != SQLITE_OK) {
        fail_msg("%s: %s", sql, text);
    }
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static int
admit(void *arg, struct store_db *db, struct err *e)
{
    const struct scene *f = arg;

    return ledger_check(f->ledger, db, NULL, true, e);
}

static struct store *
open_as_a_start_does(struct scene *f, struct err *e)
{
    const struct store_options options = {
        .path = f->database,
        .application = STORE_APPLICATION('t', 'e', 's', 't'),
        .schemas = {ledger_migrations, issuance_migrations},
        .finished = f->tasks,
        .admit = admit,
        .admit_arg = f,
    };

    return store_open(&options, e);
}

static void
it_is_looked_at_migrated_and_goes_on(void **state)
{
    struct scene *f = *state;
    struct err e = {0};

    scene_append(f, 0, BEFORE);
    scene_checkpoint(f, BEFORE);
    edit(f, go_back);
    f->store = open_as_a_start_does(f, &e);
    assert_ok(f->store == NULL ? -1 : 0, &e);
    assert_ok(ledger_start(f->ledger, f->store, &e), &e);
    scene_append(f, BEFORE, 2 * BEFORE);
    scene_checkpoint(f, 2 * BEFORE);
    scene_check_files(f, 2 * BEFORE);
}

static void
what_was_edited_in_it_is_found_before_it_is_migrated(void **state)
{
    struct scene *f = *state;
    struct err e = {0};

    scene_append(f, 0, BEFORE);
    scene_checkpoint(f, BEFORE);
    edit(f, go_back);
    edit(f, "UPDATE node SET hash = zeroblob(32) WHERE level = 8");
    assert_null(open_as_a_start_does(f, &e));
    assert_int_equal(e.code, ERR_STALE);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(it_is_looked_at_migrated_and_goes_on, scene_set_up,
                                        scene_tear_down),
        cmocka_unit_test_setup_teardown(what_was_edited_in_it_is_found_before_it_is_migrated,
                                        scene_set_up, scene_tear_down),
    };

    (void)umask(077); /* as the programs do */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
