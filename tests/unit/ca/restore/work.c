/* SPDX-License-Identifier: Apache-2.0 */
/* The copy that a restore works in takes the place of ca.db, whole, and while nobody has that. */
#include "ca/restore/work.h"

#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "tests/support/test.h"
#include "tests/support/tmpdir.h"

struct scene {
    char *dir;
    char *database;
    char *kept;
    struct restore_work work;
};

static int
setup(void **state)
{
    struct scene *s = mem_new(sizeof(*s));

    s->dir = tmpdir_new();
    s->database = mem_printf("%s/ca.db", s->dir);
    s->kept = mem_printf("%s/kept", s->dir);
    work_init(&s->work, s->database);
    *state = s;
    return 0;
}

static int
teardown(void **state)
{
    struct scene *s = *state;

    work_free(&s->work);
    tmpdir_remove(s->dir);
    mem_free(s->database);
    mem_free(s->kept);
    mem_free(s);
    return 0;
}

static void
put(const char *path, const char *text)
{
    struct err e = {0};

    assert_ok(file_write(path, span_str(text), 0600, &e), &e);
}

static void
must_have(const char *path, const char *text)
{
    CLEANUP(buf_free) struct buf found = BUF_INIT(1024);
    struct err e = {0};

    assert_ok(file_read(path, &found, &e), &e);
    if (!span_equal(buf_span(&found), span_str(text))) {
        fail_msg("%s has \"%.*s\", not \"%s\"", path, (int)found.n, (const char *)found.p, text);
    }
}

static void
the_copy_takes_the_place_and_the_old_one_is_kept(void **state)
{
    struct scene *s = *state;
    struct err e = {0};

    put(s->database, "old");
    put(s->work.copy, "of a restore that was killed");
    assert_ok(work_lock(&s->work, &e), &e);
    assert_ok(work_copy(&s->work, &e), &e);
    must_have(s->work.copy, "old");
    put(s->work.copy, "new");
    assert_ok(work_sync(&s->work, &e), &e);
    must_have(s->database, "old");
    assert_ok(work_swap(&s->work, s->kept, &e), &e);
    must_have(s->database, "new");
    must_have(s->kept, "old");
    assert_int_equal(access(s->work.copy, F_OK), -1);
}

static void
where_there_was_none_it_comes(void **state)
{
    struct scene *s = *state;
    struct err e = {0};

    put(s->work.copy, "of a restore that was killed");
    assert_ok(work_lock(&s->work, &e), &e);
    assert_ok(work_copy(&s->work, &e), &e);
    assert_int_equal(access(s->work.copy, F_OK), -1);
    put(s->work.copy, "new");
    assert_ok(work_swap(&s->work, s->kept, &e), &e);
    must_have(s->database, "new");
    assert_int_equal(access(s->kept, F_OK), -1);
}

static void
one_that_appears_meanwhile_stays(void **state)
{
    struct scene *s = *state;
    struct err e = {0};

    assert_ok(work_lock(&s->work, &e), &e);
    put(s->work.copy, "new");
    put(s->database, "somebody's");
    assert_int_equal(work_swap(&s->work, s->kept, &e), -1);
    assert_int_equal(e.code, ERR_BUSY);
    must_have(s->database, "somebody's");
}

/* ---- seals ---- */

static void
seals_come_with_their_files(void **state)
{
    struct scene *s = *state;
    CLEANUP(mem_cleanup) char *old = mem_printf("%s-seal", s->database);
    CLEANUP(mem_cleanup) char *copied = mem_printf("%s-seal", s->work.copy);
    CLEANUP(mem_cleanup) char *kept = mem_printf("%s-seal", s->kept);
    struct err e = {0};

    put(s->database, "old");
    put(old, "old seals");
    put(copied, "of a restore that was killed");
    assert_ok(work_lock(&s->work, &e), &e);
    assert_ok(work_copy(&s->work, &e), &e);
    must_have(copied, "old seals");
    put(s->work.copy, "new");
    put(copied, "new seals");
    assert_ok(work_sync(&s->work, &e), &e);
    must_have(old, "old seals");
    assert_ok(work_swap(&s->work, s->kept, &e), &e);
    must_have(s->database, "new");
    must_have(old, "new seals");
    must_have(s->kept, "old");
    must_have(kept, "old seals");
    assert_int_equal(access(copied, F_OK), -1);
    assert_int_equal(access(s->work.next, F_OK), -1);
}

/* As a kill between two renames leaves it. */
static void
a_swap_that_was_killed_ends_or_has_not_begun(void **state)
{
    struct scene *s = *state;
    CLEANUP(mem_cleanup) char *seals = mem_printf("%s-seal", s->database);
    struct err e = {0};

    put(s->database, "old");
    put(seals, "old seals");
    assert_ok(work_finish(s->database, &e), &e);
    must_have(seals, "old seals");
    put(s->work.copy, "new");
    put(s->work.next, "new seals");
    assert_ok(work_finish(s->database, &e), &e);
    must_have(s->database, "old");
    must_have(seals, "old seals");
    assert_int_equal(access(s->work.next, F_OK), -1);
    put(s->work.next, "new seals");
    assert_int_equal(rename(s->work.copy, s->database), 0);
    assert_ok(work_finish(s->database, &e), &e);
    must_have(s->database, "new");
    must_have(seals, "new seals");
    assert_int_equal(access(s->work.next, F_OK), -1);
}

static void
seals_without_a_file_are_in_the_way(void **state)
{
    struct scene *s = *state;
    CLEANUP(mem_cleanup) char *seals = mem_printf("%s-seal", s->database);
    struct err e = {0};

    put(seals, "of whomever");
    assert_err(work_lock(&s->work, &e), ERR_BUSY, &e);
    must_have(seals, "of whomever");
}

/* A WAL would be folded into whatever has the name of its file. */
static void
a_wal_of_whomever_is_in_the_way(void **state)
{
    struct scene *s = *state;
    CLEANUP(mem_cleanup) char *wal = mem_printf("%s-wal", s->database);
    struct err e = {0};

    put(wal, "frames");
    assert_int_equal(work_lock(&s->work, &e), -1);
    assert_int_equal(e.code, ERR_BUSY);
    assert_int_equal(unlink(wal), 0);
    work_free(&s->work);
    work_init(&s->work, s->database);
    put(s->database, "old");
    assert_ok(work_lock(&s->work, &e), &e);
    put(s->work.copy, "new");
    put(wal, "frames");
    assert_int_equal(work_swap(&s->work, s->kept, &e), -1);
    must_have(s->database, "old");
}

/* In a process of its own, as a start is: what SQLite says of the file. */
static int
open_elsewhere(const char *path)
{
    int status = -1;
    pid_t child = fork();

    if (child == 0) {
        sqlite3 *db = NULL;
        int rc = sqlite3_open(path, &db);

        rc = rc != SQLITE_OK ? rc : sqlite3_exec(db, "BEGIN EXCLUSIVE", NULL, NULL, NULL);
        _exit(rc);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void
nobody_opens_it_while_it_is_locked_and_who_has_it_is_not_disturbed(void **state)
{
    struct scene *s = *state;
    sqlite3 *db = NULL;
    int told[2];
    int go[2];
    char octet;
    pid_t child;
    struct err e = {0};

    assert_int_equal(sqlite3_open(s->database, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "CREATE TABLE t(x)", NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
    assert_ok(work_lock(&s->work, &e), &e);
    assert_ok(work_copy(&s->work, &e), &e);
    assert_int_equal(open_elsewhere(s->database), SQLITE_BUSY);
    work_free(&s->work);
    assert_int_equal(open_elsewhere(s->database), SQLITE_OK);
    assert_int_equal(pipe(told), 0);
    assert_int_equal(pipe(go), 0);
    child = fork();
    if (child == 0) {
        (void)sqlite3_open(s->database, &db);
        (void)sqlite3_exec(db, "BEGIN EXCLUSIVE", NULL, NULL, NULL);
        _exit(write(told[1], "", 1) == 1 && read(go[0], &octet, 1) == 1 ? 0 : 1);
    }
    assert_int_equal(read(told[0], &octet, 1), 1);
    work_init(&s->work, s->database);
    assert_int_equal(work_lock(&s->work, &e), -1);
    assert_int_equal(e.code, ERR_BUSY);
    assert_int_equal(write(go[1], "", 1), 1);
    assert_int_equal(waitpid(child, NULL, 0), child);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(close(told[i]), 0);
        assert_int_equal(close(go[i]), 0);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_copy_takes_the_place_and_the_old_one_is_kept, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(where_there_was_none_it_comes, setup, teardown),
        cmocka_unit_test_setup_teardown(one_that_appears_meanwhile_stays, setup, teardown),
        cmocka_unit_test_setup_teardown(seals_come_with_their_files, setup, teardown),
        cmocka_unit_test_setup_teardown(a_swap_that_was_killed_ends_or_has_not_begun, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(seals_without_a_file_are_in_the_way, setup, teardown),
        cmocka_unit_test_setup_teardown(a_wal_of_whomever_is_in_the_way, setup, teardown),
        cmocka_unit_test_setup_teardown(
            nobody_opens_it_while_it_is_locked_and_who_has_it_is_not_disturbed, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
