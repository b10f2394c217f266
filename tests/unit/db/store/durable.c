/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is read at an opening is durable before anybody relies on it. One call of the disk fails,
 * the process ends, the next one opens the file, and then the power is cut. With DURABLE_KEY in the
 * environment the file is sealed.
 */
#include "db/store/store.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "tests/support/disk.h"
#include "tests/support/test.h"
#include "tests/support/tmpdir.h"

enum { APPLICATION = STORE_APPLICATION('t', 'e', 's', 't'), ITEMS = 6, LARGE = 3000 };

static const struct store_migration tables[] = {
    {1, "CREATE TABLE item (number INTEGER PRIMARY KEY, bytes BLOB NOT NULL) STRICT;"},
    {0, NULL},
};

static struct store *
open_it(const char *dir, struct err *e)
{
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/a.db", dir);
    const uint8_t key[STORE_KEY_SIZE] = {1};
    const struct store_options options = {
        .path = path,
        .application = APPLICATION,
        .schemas = {tables},
        .integrity_check = true,
        .seal_key = span_of(key, getenv("DURABLE_KEY") == NULL ? 0 : sizeof(key)),
    };

    return store_open(&options, e);
}

struct item_op {
    struct store_op op;
    int64_t items;
};

static int
run_add(struct store_op *op, struct store_db *db, struct err *e)
{
    static const uint8_t large[LARGE]; /* so that items are on pages of their own */

    (void)op;
    return store_exec(db, "INSERT INTO item(bytes) VALUES(?)",
                      STORE_VALUES(store_blob(span_of(large, sizeof(large)))), e);
}

static int
run_count(struct store_op *op, struct store_db *db, struct err *e)
{
    CLEANUP(store_end) struct store_rows rows = {0};

    if (store_query_one(db, &rows, "SELECT count(*) FROM item", STORE_NO_VALUES, e) != 0) {
        return -1;
    }
    CONTAINER_OF(op, struct item_op, op)->items = row_int(&rows, 0);
    return 0;
}

/* What a process tells before it ends: without a word, as one that is killed. */
struct told {
    int64_t read;         /* items, at its opening; -1: it did not open */
    int64_t acknowledged; /* more of them */
    bool failed;          /* the disk did, */
    bool of_folder;       /* with the names in the folder */
};

static struct told *told; /* by the one that runs */
static size_t calls;
static size_t fails;
static char folder[4096];

static void
see(enum disk_call call, const char *path)
{
    if (calls++ == fails) {
        told->of_folder = call == DISK_SYNC && strcmp(path, folder) == 0;
    }
}

/* Opens, reads, adds items until that fails; call `n` of the disk does, when it comes to that. */
static struct told
run_process(const char *dir, size_t n, int add)
{
    struct told result;
    int status = -1;
    pid_t child;

    told = mmap(NULL, sizeof(*told), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(told != MAP_FAILED);
    assert_non_null(realpath(dir, folder));
    fails = n;
    *told = (struct told){.read = -1};
    child = fork();
    if (child == 0) {
        struct item_op count = {.op = {.run = run_count}};
        struct item_op item = {.op = {.run = run_add}};
        struct err e = {0};
        struct store *store;

        disk_fail(n);
        store = open_it(dir, &e);
        if (store != NULL && store_call(store, &count.op, &e) == 0) {
            told->read = count.items;
            while (told->acknowledged < add && store_call(store, &item.op, &e) == 0) {
                told->acknowledged++;
            }
        }
        told->failed = disk_has_failed();
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    result = *told;
    (void)munmap(told, sizeof(*told));
    return result;
}

/* `more`: what the second process adds to what it found. */
static void
cut_after(int more)
{
    bool failed = true;
    size_t n;

    for (n = 0; failed; n++) {
        CLEANUP(tmpdir_cleanup) char *dir = tmpdir_new();
        struct told first;
        struct told second;
        struct told third;

        disk_begin(dir, see);
        disk_keep();
        first = run_process(dir, n, ITEMS);
        failed = first.failed;
        second = run_process(dir, SIZE_MAX, more);
        disk_cut();
        third = run_process(dir, SIZE_MAX, 0);
        disk_end();
        if (second.read < (first.read < 0 ? 0 : first.read) + first.acknowledged ||
            second.acknowledged != more || third.read != second.read + second.acknowledged) {
            fail_msg("call %zu fails: %lld and %lld acknowledged, then %lld read, %lld "
                     "acknowledged, and behind the power cut %lld are there",
                     n, (long long)first.read, (long long)first.acknowledged,
                     (long long)second.read, (long long)second.acknowledged, (long long)third.read);
        }
    }
    assert_true(n > 20);
}

static void
what_was_read_is_there_after_a_power_cut(void **state)
{
    (void)state;
    cut_after(0);
}

static void
what_was_acknowledged_behind_it_is_there(void **state)
{
    (void)state;
    cut_after(ITEMS);
}

/* And when it cannot be made durable, nobody opens: the calls of a second opening fail in turn.
 * SQLite syncs the folder, too, and does not look whether that worked; the store does it last. */
static void
what_cannot_be_made_durable_is_not_opened(void **state)
{
    bool failed = true;
    size_t ignored = 0;
    size_t n;

    (void)state;
    for (n = 0; failed; n++) {
        CLEANUP(tmpdir_cleanup) char *dir = tmpdir_new();
        struct told second;
        struct told third;

        disk_begin(dir, see);
        disk_keep();
        assert_int_equal(run_process(dir, SIZE_MAX, ITEMS).acknowledged, ITEMS);
        second = run_process(dir, n, 0);
        failed = second.failed;
        disk_cut();
        third = run_process(dir, SIZE_MAX, 0);
        disk_end();
        ignored += failed && second.of_folder && second.read >= 0;
        if ((failed && !second.of_folder && second.read >= 0) || third.read != ITEMS) {
            fail_msg("call %zu fails: %lld read, %lld later", n, (long long)second.read,
                     (long long)third.read);
        }
    }
    assert_true(n > 10);
    assert_int_equal(ignored, 1);
}

static void
copy_unsynced(const char *dir, const char *from, const char *to)
{
    CLEANUP(mem_cleanup) char *from_path = mem_printf("%s/%s", dir, from);
    CLEANUP(mem_cleanup) char *to_path = mem_printf("%s/%s", dir, to);
    CLEANUP(buf_free) struct buf octets = BUF_INIT((size_t)1024 * 1024);
    CLEANUP(fd_cleanup) int fd = open(to_path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    struct err e = {0};

    assert_ok(file_read(from_path, &octets, &e), &e);
    assert_true(octets.n > 0);
    assert_int_equal(write(fd, octets.p, octets.n), (ssize_t)octets.n);
}

/* Somebody's cp(1), a moment ago. */
static void
what_was_copied_here_is_synced(void **state)
{
    static const struct {
        const char *name;
        bool wal;
    } rows[] = {{"the file", false}, {"the file and its WAL", true}};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(tmpdir_cleanup) char *dir = tmpdir_new();
        CLEANUP(mem_cleanup) char *path = mem_printf("%s/a.db", dir);
        CLEANUP(mem_cleanup) char *wal = mem_printf("%s/a.db-wal", dir);
        struct store *store;
        struct err e = {0};

        assert_int_equal(run_process(dir, SIZE_MAX, 1).acknowledged, 1);
        if (!rows[i].wal) {
            assert_int_equal(run_process(dir, SIZE_MAX, 0).read, 1); /* empties the WAL */
        } else {
            copy_unsynced(dir, "a.db-wal", "copy-wal");
        }
        copy_unsynced(dir, "a.db", "copy");
        assert_int_equal(unlink(path), 0);
        assert_int_equal(unlink(wal), 0);
        disk_begin(dir, NULL);
        copy_unsynced(dir, "copy", "a.db");
        if (rows[i].wal) {
            copy_unsynced(dir, "copy-wal", "a.db-wal");
        }
        assert_non_null(disk_not_durable(NULL));
        store = open_it(dir, &e);
        if (store == NULL || disk_not_durable(NULL) != NULL) {
            fail_msg("%s: %s: %s", rows[i].name, e.text, disk_not_durable(NULL));
        }
        disk_end();
        store_free(store);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_read_is_there_after_a_power_cut),
        cmocka_unit_test(what_was_acknowledged_behind_it_is_there),
        cmocka_unit_test(what_cannot_be_made_durable_is_not_opened),
        cmocka_unit_test(what_was_copied_here_is_synced),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
