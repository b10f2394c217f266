/* SPDX-License-Identifier: Apache-2.0 */
/* Opening: what a file must be, what is made of it, and who else may have it. */
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/disk.h"
#include "tests/support/test.h"
#include "tests/unit/db/store/scene.h"

static const struct store_migration broken[] = {
    {3, "CREATE TABLE half (a INTEGER) STRICT; CREATE TABLE half (a INTEGER) STRICT;"},
    {0, NULL},
};

static const struct store_migration late[] = {
    {4, "CREATE TABLE late (a INTEGER) STRICT;"},
    {0, NULL},
};

static void
a_new_file_is_private_and_has_every_migration(void **state)
{
    struct scene f = scene_new();
    struct store *store = scene_must_open(&f);
    struct stat st;

    (void)state;
    assert_int_equal(stat(f.path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(scene_number(store, "SELECT count(*) FROM sqlite_schema WHERE type = 'table'"),
                     2);
    assert_int_equal(scene_number(store, "PRAGMA user_version"), 2);
    assert_int_equal(scene_number(store, "PRAGMA synchronous"), 2);
    assert_int_equal(scene_number(store, "PRAGMA foreign_keys"), 1);
    assert_int_equal(scene_number(store, "PRAGMA trusted_schema"), 0);
    store_free(store);
    scene_end(&f);
}

static void
what_was_committed_is_there_after_opening_again(void **state)
{
    struct scene f = scene_new();
    CLEANUP(mem_cleanup) char *shared = mem_printf("%s-shm", f.path);
    struct store *store = scene_must_open(&f);
    struct err e = {0};

    (void)state;
    assert_ok(scene_insert(store, "a", 1, &e), &e);
    store_free(store);
    store = scene_must_open(&f);
    assert_int_equal(scene_number(store, "SELECT number FROM item WHERE name = 'a'"), 1);
    assert_int_equal(access(shared, F_OK), -1); /* nobody shares it */
    store_free(store);
    scene_end(&f);
}

static void
a_migration_is_added_to_what_is_there(void **state)
{
    struct scene f = scene_new();
    const struct store_options old = {
        .path = f.path, .application = SCENE_APPLICATION, .schemas = {scene_first}};
    struct err e = {0};
    struct store *store = store_open(&old, &e);

    (void)state;
    assert_non_null(store);
    assert_ok(scene_insert(store, "a", 1, &e), &e);
    assert_int_equal(scene_number(store, "PRAGMA user_version"), 1);
    store_free(store);
    store = scene_must_open(&f);
    assert_int_equal(scene_number(store, "PRAGMA user_version"), 2);
    assert_int_equal(scene_number(store, "SELECT count(*) FROM item"), 1);
    store_free(store);
    scene_end(&f);
}

static void
a_migration_that_fails_leaves_the_file_as_it_was(void **state)
{
    struct scene f = scene_new();
    const struct store_options options = {.path = f.path,
                                          .application = SCENE_APPLICATION,
                                          .schemas = {scene_first, scene_second, broken}};
    const struct store_options gap = {.path = f.path,
                                      .application = SCENE_APPLICATION,
                                      .schemas = {scene_first, scene_second, late}};
    const struct store_options twice = {.path = f.path,
                                        .application = SCENE_APPLICATION,
                                        .schemas = {scene_first, scene_second, broken, broken}};
    struct store *store;
    struct err e = {0};

    (void)state;
    assert_null(store_open(&options, &e));
    assert_non_null(strstr(e.text, "migration 3"));
    assert_null(store_open(&twice, &e));
    assert_non_null(strstr(e.text, "migration 3 is missing in the program, or there twice"));
    assert_null(store_open(&gap, &e));
    assert_non_null(strstr(e.text, "migration 3 is missing"));
    store = scene_must_open(&f);
    assert_int_equal(scene_number(store, "PRAGMA user_version"), 2);
    assert_int_equal(scene_number(store, "SELECT count(*) FROM sqlite_schema WHERE name = 'half'"),
                     0);
    store_free(store);
    scene_end(&f);
}

static void
a_newer_schema_is_refused(void **state)
{
    struct scene f = scene_new();
    const struct store_options old = {
        .path = f.path, .application = SCENE_APPLICATION, .schemas = {scene_first}};
    struct err e = {0};

    (void)state;
    store_free(scene_must_open(&f));
    assert_null(store_open(&old, &e));
    assert_int_equal(e.code, ERR_DENIED);
    assert_non_null(strstr(e.text, "has schema 2, this program knows up to 1"));
    scene_end(&f);
}

static void
the_database_of_another_program_is_refused(void **state)
{
    struct scene f = scene_new();
    const struct store_options other = {
        .path = f.path,
        .application = STORE_APPLICATION('n', 'f', 'C', 'A'),
        .schemas = {scene_first, scene_second},
    };
    struct err e = {0};

    (void)state;
    store_free(scene_must_open(&f));
    assert_null(store_open(&other, &e));
    assert_int_equal(e.code, ERR_DENIED);
    assert_non_null(strstr(e.text, "another program"));
    scene_end(&f);
}

static void
a_file_that_others_can_read_is_refused(void **state)
{
    struct scene f = scene_new();
    struct err e = {0};

    (void)state;
    store_free(scene_must_open(&f));
    assert_int_equal(chmod(f.path, 0640), 0);
    assert_null(scene_open(&f, &e));
    assert_int_equal(e.code, ERR_DENIED);
    scene_end(&f);
}

static void
a_file_that_is_no_database_is_refused(void **state)
{
    struct scene f = scene_new();
    struct err e = {0};
    int fd = open(f.path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    static const char text[] = "this is certainly not the beginning of an SQLite database file, "
                               "and it is long enough to have a header of one hundred octets";

    (void)state;
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, sizeof(text)), sizeof(text));
    (void)close(fd);
    assert_null(scene_open(&f, &e));
    assert_int_equal(e.code, ERR_STORE);
    assert_non_null(strstr(e.text, "not a database"));
    scene_end(&f);
}

/* What is at the path of the database instead of one. */
static void
what_is_no_file_of_ours_is_not_opened(void **state)
{
    static const struct {
        const char *name;
        enum err_code code;
        const char *says;
    } rows[] = {
        {"a FIFO", ERR_DENIED, "is not a regular file"},
        {"a folder", ERR_STORE, "open "},
        {"a symbolic link", ERR_STORE, "open "},
        {"no folder above", ERR_STORE, "No such file"},
        {"readable by the group", ERR_DENIED, "can be used by others: chmod 600 it"},
        {"writable by others", ERR_DENIED, "can be used by others: chmod 600 it"},
        {"executable by the group", ERR_DENIED, "can be used by others: chmod 600 it"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct scene f = scene_new();
        CLEANUP(mem_cleanup) char *target = mem_printf("%s/target", f.dir);
        struct err e = {0};

        switch (i) {
        case 0:
            assert_int_equal(mkfifo(f.path, 0600), 0);
            break;
        case 1:
            assert_int_equal(mkdir(f.path, 0700), 0);
            break;
        case 2:
            assert_int_equal(symlink(target, f.path), 0);
            break;
        case 3:
            mem_free(f.path);
            f.path = mem_printf("%s/nowhere/a.db", f.dir);
            break;
        default:
            store_free(scene_must_open(&f));
            assert_int_equal(chmod(f.path, i == 4 ? 0640 : i == 5 ? 0602 : 0610), 0);
            break;
        }
        if (scene_open(&f, &e) != NULL || e.code != rows[i].code ||
            strstr(e.text, rows[i].says) == NULL || strstr(e.text, f.path) == NULL) {
            fail_msg("%s: %s: %s", rows[i].name, err_code_name(e.code), e.text);
        }
        scene_end(&f);
    }
}

/* Whoever can write the file can break it: an integrity check says so before anything is done. */
static void
a_damaged_database_is_refused(void **state)
{
    static const char *const damages[] = {
        "PRAGMA ignore_check_constraints = ON; UPDATE item SET number = 0",
        "PRAGMA writable_schema = ON; UPDATE sqlite_schema SET rootpage = 3 WHERE name = 'item'",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(damages); i++) {
        struct scene f = scene_new();
        struct store *store = scene_must_open(&f);
        sqlite3 *raw = NULL;
        struct err e = {0};

        assert_ok(scene_insert(store, "a", 1, &e), &e);
        store_free(store);
        assert_int_equal(sqlite3_open(f.path, &raw), SQLITE_OK);
        assert_int_equal(sqlite3_exec(raw, damages[i], NULL, NULL, NULL), SQLITE_OK);
        assert_int_equal(sqlite3_close(raw), SQLITE_OK);
        if (scene_open(&f, &e) != NULL || e.code != ERR_STORE ||
            strstr(e.text, "integrity_check") == NULL) {
            fail_msg("row %zu: %s: %s", i, err_code_name(e.code), e.text);
        }
        scene_end(&f);
    }
}

/* A database that somebody made for another program, without a mark. */
static void
a_database_without_our_mark_is_another_programs(void **state)
{
    struct scene f = scene_new();
    sqlite3 *raw = NULL;
    struct err e = {0};

    (void)state;
    assert_int_equal(sqlite3_open(f.path, &raw), SQLITE_OK);
    assert_int_equal(sqlite3_exec(raw, "CREATE TABLE x (a)", NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_close(raw), SQLITE_OK);
    assert_int_equal(chmod(f.path, 0600), 0);
    assert_null(scene_open(&f, &e));
    assert_int_equal(e.code, ERR_DENIED);
    assert_non_null(strstr(e.text, "is the database of another program"));
    scene_end(&f);
}

static char *last_synced;

static void
see_sync(enum disk_call call, const char *path)
{
    mem_free(last_synced);
    last_synced = call == DISK_SYNC ? mem_strdup(path) : NULL;
}

static void
the_last_call_of_opening_makes_the_names_durable(void **state)
{
    struct scene f = scene_new();
    struct err e = {0};
    struct store *store;

    (void)state;
    disk_begin(f.dir, see_sync);
    store = scene_must_open(&f);
    assert_non_null(last_synced);
    assert_string_equal(last_synced, f.dir);
    mem_free(last_synced);
    last_synced = NULL;
    disk_begin(f.dir, NULL);
    if (disk_not_durable(NULL) != NULL) {
        fail_msg("%s is not durable", disk_not_durable(NULL));
    }
    assert_ok(scene_insert(store, "a", 1, &e), &e);
    if (disk_not_durable(NULL) != NULL) {
        fail_msg("%s is not durable after a commit", disk_not_durable(NULL));
    }
    disk_end();
    store_free(store);
    scene_end(&f);
}

/* Each call of the disk fails once while a file is opened and written: no success is reported
 * that is not there, and after a failure nothing is accepted. */
static void
a_disk_that_fails_anywhere_loses_nothing_acknowledged(void **state)
{
    bool failed = true;
    size_t n = 0;

    (void)state;
    for (n = 0; failed; n++) {
        struct scene f = scene_new();
        struct err e = {0};
        struct store *store;
        bool inserted = false;

        disk_begin(f.dir, NULL);
        disk_fail(n);
        store = scene_open(&f, &e);
        if (store != NULL) {
            inserted = scene_insert(store, "a", 1, &e) == 0;
            if (!inserted) {
                assert_int_equal(e.code, ERR_STORE);
                assert_true(store_is_failed(store));
                assert_err(scene_insert(store, "b", 1, &e), ERR_STORE, &e);
                assert_non_null(strstr(e.text, "an earlier commit failed"));
            }
        }
        failed = disk_has_failed();
        disk_end();
        store_free(store);
        store = scene_must_open(&f);
        if (inserted) {
            assert_int_equal(scene_number(store, "SELECT count(*) FROM item"), 1);
        }
        store_free(store);
        scene_end(&f);
    }
    assert_true(n > 5);
}

static void
a_second_opener_is_told_who_is_in_the_way(void **state)
{
    struct scene f = scene_new();
    struct store *store = scene_must_open(&f);
    struct err e = {0};
    int status = 0;
    pid_t child;

    (void)state;
    assert_null(scene_open(&f, &e));
    assert_int_equal(e.code, ERR_BUSY);
    child = fork();
    if (child == 0) {
        char wanted[512];

        (void)snprintf(wanted, sizeof(wanted), "another process has %s open", f.path);
        _exit(scene_open(&f, &e) == NULL && e.code == ERR_BUSY && strstr(e.text, wanted) != NULL
                  ? 0
                  : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_ok(scene_insert(store, "still mine", 1, &e), &e);
    store_free(store);
    scene_end(&f);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_file_is_private_and_has_every_migration),
        cmocka_unit_test(what_was_committed_is_there_after_opening_again),
        cmocka_unit_test(a_migration_is_added_to_what_is_there),
        cmocka_unit_test(a_migration_that_fails_leaves_the_file_as_it_was),
        cmocka_unit_test(a_newer_schema_is_refused),
        cmocka_unit_test(the_database_of_another_program_is_refused),
        cmocka_unit_test(a_file_that_others_can_read_is_refused),
        cmocka_unit_test(a_file_that_is_no_database_is_refused),
        cmocka_unit_test(what_is_no_file_of_ours_is_not_opened),
        cmocka_unit_test(a_damaged_database_is_refused),
        cmocka_unit_test(a_database_without_our_mark_is_another_programs),
        cmocka_unit_test(the_last_call_of_opening_makes_the_names_durable),
        cmocka_unit_test(a_disk_that_fails_anywhere_loses_nothing_acknowledged),
        cmocka_unit_test(a_second_opener_is_told_who_is_in_the_way),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
