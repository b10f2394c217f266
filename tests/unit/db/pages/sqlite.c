/* SPDX-License-Identifier: Apache-2.0 */
/* What SQLite may do with a sealed file beyond what a store asks of it. */
#include <sqlite3.h>
#include <string.h>

#include "db/pages/pages.h"
#include "tests/support/test.h"
#include "tests/support/tmpdir.h"
#include "tests/unit/db/pages/files.h"
#include "tests/unit/db/pages/scene.h"

enum { PAGE = 4096, STEPS = 8 };

struct world {
    char *dir;
    char *path;
    struct pages *pages;
    sqlite3 *db;
};

static void
must_run(struct world *w, const char *sql)
{
    char *message = NULL;

    if (sqlite3_exec(w->db, sql, NULL, NULL, &message) != SQLITE_OK) {
        fail_msg("%s: %s", sql, message);
    }
}

/* A store's file, with a connection of ours. */
static struct world
world_new(void)
{
    const struct pages_options options = {.key = span_of(scene_key, STORE_KEY_SIZE)};
    struct world w = {.dir = tmpdir_new()};
    struct store *store;
    struct err e = {0};

    w.path = mem_printf("%s/a.db", w.dir);
    store = scene_must_open(w.path, true);
    for (int i = 0; i < STEPS; i++) {
        assert_ok(scene_step(store, &e), &e);
    }
    store_free(store);
    w.pages = pages_new(&options, &e);
    assert_non_null(w.pages);
    assert_int_equal(sqlite3_open_v2(w.path, &w.db, SQLITE_OPEN_READWRITE, pages_vfs(w.pages)),
                     SQLITE_OK);
    must_run(&w, "PRAGMA locking_mode = EXCLUSIVE; PRAGMA cache_spill = OFF; PRAGMA "
                 "synchronous = FULL; BEGIN EXCLUSIVE; COMMIT");
    assert_true(pages_is_sealed(w.pages));
    return w;
}

static void
close_pages(struct world *w)
{
    (void)sqlite3_close(w->db);
    pages_free(w->pages);
    w->pages = NULL;
}

static void
world_end(struct world *w)
{
    mem_free(w->path);
    tmpdir_remove(w->dir);
}

static void
must_be_whole(struct world *w)
{
    struct store *store = scene_must_open(w->path, true);
    struct err e = {0};
    uint64_t pages;

    assert_int_equal(scene_state(store, &e), STEPS);
    assert_ok(scene_check(store, &e), &e);
    assert_ok(scene_scrub(store, &pages, &e), &e);
    assert_ok(scene_step(store, &e), &e);
    store_free(store);
}

static void
a_file_that_shrinks_and_grows(void **state)
{
    struct world w = world_new();
    uint64_t before;

    (void)state;
    before = pages_count(w.pages);
    must_run(&w, "CREATE TABLE large AS SELECT randomblob(3000000); PRAGMA wal_checkpoint");
    assert_true(pages_count(w.pages) > before + 700);
    must_run(&w, "DROP TABLE large; VACUUM; PRAGMA wal_checkpoint(TRUNCATE)");
    assert_true(pages_count(w.pages) <= before);
    must_run(&w, "CREATE TABLE large AS SELECT randomblob(1000000); PRAGMA wal_checkpoint;"
                 "DROP TABLE large; VACUUM; PRAGMA integrity_check");
    close_pages(&w);
    must_be_whole(&w);
    world_end(&w);
}

/* What is rolled back behind frames that were written. */
static void
a_transaction_that_is_rolled_back(void **state)
{
    struct world w = world_new();

    (void)state;
    must_run(&w, "PRAGMA cache_spill = ON; PRAGMA cache_size = 10; BEGIN;"
                 "CREATE TABLE large AS WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 "
                 "FROM c WHERE n < 300) SELECT randomblob(3000) FROM c; ROLLBACK;"
                 "PRAGMA cache_spill = OFF;"
                 "CREATE TABLE t (n); INSERT INTO t VALUES (1); DROP TABLE t");
    close_pages(&w);
    must_be_whole(&w);
    world_end(&w);
}

/* With cache_spill=ON SQLite may write a frame of its transaction a second time. */
static void
a_frame_that_would_be_changed(void **state)
{
    struct world w = world_new();
    struct err e = {0};
    int rc;

    (void)state;
    rc = sqlite3_exec(w.db,
                      "PRAGMA cache_spill = ON; PRAGMA cache_size = 10; BEGIN; CREATE TABLE t (n "
                      "INTEGER PRIMARY KEY, text); INSERT INTO t WITH RECURSIVE c(n) AS (SELECT 1 "
                      "UNION ALL SELECT n + 1 FROM c WHERE n < 300) SELECT n, randomblob(2000) "
                      "FROM c; UPDATE t SET text = randomblob(2000); UPDATE t SET text = "
                      "randomblob(2000); COMMIT",
                      NULL, NULL, NULL);
    assert_int_equal(rc & 0xff, SQLITE_IOERR);
    assert_err(pages_check(w.pages, &e), ERR_STORE, &e);
    assert_non_null(strstr(e.text, "frame"));
    (void)sqlite3_db_config(w.db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    close_pages(&w);
    must_be_whole(&w);
    world_end(&w);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_that_shrinks_and_grows),
        cmocka_unit_test(a_transaction_that_is_rolled_back),
        cmocka_unit_test(a_frame_that_would_be_changed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
