/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is read of a journal is durable before anything is signed on it. One call of the disk fails,
 * the process ends, the next one opens the journal, and then the power is cut.
 */
#include "pkcs11/signer/journal/journal.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/disk.h"
#include "tests/support/journal_open.h"
#include "tests/support/test.h"
#include "tests/support/tmpdir.h"

enum {
    BATCH = 64, /* lines in one commit: together about two pages */
    COMMITS = 4,
};

static const uint8_t key[32] = {1};

/* What a process tells before it ends: without a word, as one that is killed. */
struct told {
    bool opened;
    bool failed;           /* the disk did */
    uint64_t read;         /* lines, at its opening */
    uint64_t acknowledged; /* more of them */
};

static bool
commit(struct journal *j)
{
    struct err e = {0};

    for (int i = 0; i < BATCH; i++) {
        if (journal_add(j, 'P', key, NULL, &e) != 0) {
            return false;
        }
    }
    return journal_commit(j, &e) == 0;
}

/* Opens, reads, adds until that fails; call `n` of the disk does, when it comes to that. */
static struct told
run_process(const char *dir, size_t n, int commits)
{
    struct told *told =
        mmap(NULL, sizeof(*told), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    struct told result;
    int status = -1;
    pid_t child;

    assert_true(told != MAP_FAILED);
    child = fork();
    if (child == 0) {
        CLEANUP(mem_cleanup) char *path = mem_printf("%s/journal", dir);
        struct err e = {0};
        struct journal *j;
        size_t torn;

        disk_fail(n);
        j = journal_open(path, key, &torn, &e);
        told->opened = j != NULL;
        told->read = j == NULL ? 0 : journal_attempts(j);
        while (j != NULL && commits-- > 0 && commit(j)) {
            told->acknowledged += BATCH;
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

        disk_begin(dir, NULL);
        disk_keep();
        first = run_process(dir, n, COMMITS);
        failed = first.failed;
        second = run_process(dir, SIZE_MAX, more);
        disk_cut();
        third = run_process(dir, SIZE_MAX, 0);
        disk_end();
        if (!second.opened || second.read < first.read + first.acknowledged || !third.opened ||
            third.read != second.read + second.acknowledged) {
            fail_msg("call %zu fails: %u lines acknowledged, then %u read and %u added, and behind "
                     "the power cut %u are there",
                     n, (unsigned)first.acknowledged, (unsigned)second.read,
                     (unsigned)second.acknowledged, (unsigned)third.read);
        }
    }
    assert_true(n > 10);
}

static void
what_was_read_is_there_after_a_power_cut(void **state)
{
    (void)state;
    cut_after(0);
}

static void
what_was_added_behind_it_is_there(void **state)
{
    (void)state;
    cut_after(COMMITS);
}

/* And when it cannot be made durable, nobody opens: the calls of a second opening fail in turn. */
static void
what_cannot_be_made_durable_is_not_opened(void **state)
{
    bool failed = true;
    size_t n;

    (void)state;
    for (n = 0; failed; n++) {
        CLEANUP(tmpdir_cleanup) char *dir = tmpdir_new();
        struct told second;
        struct told third;

        disk_begin(dir, NULL);
        disk_keep();
        assert_int_equal(run_process(dir, SIZE_MAX, COMMITS).acknowledged, COMMITS * BATCH);
        second = run_process(dir, n, 0);
        failed = second.failed;
        disk_cut();
        third = run_process(dir, SIZE_MAX, 0);
        disk_end();
        if (failed == second.opened || third.read != (uint64_t)COMMITS * BATCH) {
            fail_msg("call %zu fails: %u read, %u later", n, (unsigned)second.read,
                     (unsigned)third.read);
        }
    }
    assert_true(n > 3); /* the lines, the sync, the names */
}

/* Each call of an opening fails in turn, and it is said what could not be done. */
static void
what_cannot_be_made_durable_is_named(void **state)
{
    static const char *const says[] = {"write ", "sync ", "sync "};

    (void)state;
    for (size_t n = 0; n < ARRAY_LEN(says); n++) {
        CLEANUP(tmpdir_cleanup) char *dir = tmpdir_new();
        CLEANUP(mem_cleanup) char *path = mem_printf("%s/journal", dir);
        struct journal *j;
        struct err e = {0};
        size_t torn;

        assert_int_equal(run_process(dir, SIZE_MAX, 1).acknowledged, BATCH);
        disk_begin(dir, NULL);
        disk_fail(n);
        j = journal_open(path, key, &torn, &e);
        disk_end();
        if (j != NULL || e.code != ERR_IO || strncmp(e.text, says[n], strlen(says[n])) != 0 ||
            strstr(e.text, dir) == NULL) {
            fail_msg("call %zu: %s", n, e.text);
        }
        j = journal_open(path, key, &torn, &e);
        assert_non_null(j);
        journal_close(j);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_read_is_there_after_a_power_cut),
        cmocka_unit_test(what_was_added_behind_it_is_there),
        cmocka_unit_test(what_cannot_be_made_durable_is_not_opened),
        cmocka_unit_test(what_cannot_be_made_durable_is_named),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
