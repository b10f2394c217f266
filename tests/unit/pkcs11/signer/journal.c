/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/test.h"

#include "pkcs11/signer/journal.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "tests/support/tmpdir.h"

static const uint8_t KEY[32] = {1};
static const uint8_t HASH[32] = {0xab};

static int
setup(void **state)
{
    *state = tmpdir_new();
    return 0;
}

static int
teardown(void **state)
{
    tmpdir_remove(*state);
    return 0;
}

/* Overwrites the file, without the syncs of file_write(): hundreds of times here. */
static void
put(const char *path, struct span bytes)
{
    int fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);

    assert_int_equal(write(fd, bytes.p, bytes.n), bytes.n);
    (void)close(fd);
}

/* A journal of two attempts, the second of a checkpoint. */
static char *
two_attempts(const char *dir)
{
    struct err e = {0};
    char *path = mem_printf("%s/journal", dir);
    const struct checkpoint c = {.size = 7, .root = {9}};
    size_t torn = 1;
    CLEANUP(journal_cleanup) struct journal *j = journal_open(path, KEY, &torn, &e);

    assert_non_null(j);
    assert_int_equal(torn, 0);
    assert_ok(journal_add(j, 'T', HASH, NULL, &e), &e);
    assert_ok(journal_add(j, 'K', HASH, &c, &e), &e);
    assert_ok(journal_commit(j, &e), &e);
    return path;
}

static void
attempts_and_the_last_checkpoint_are_remembered(void **state)
{
    struct err e = {0};
    CLEANUP(mem_cleanup) char *path = two_attempts(*state);
    size_t torn = 1;
    CLEANUP(journal_cleanup) struct journal *j = journal_open(path, KEY, &torn, &e);

    assert_non_null(j);
    assert_int_equal(torn, 0);
    assert_int_equal(journal_attempts(j), 2);
    assert_non_null(journal_checkpoint(j));
    assert_int_equal(journal_checkpoint(j)->size, 7);
    assert_int_equal(journal_checkpoint(j)->root[0], 9);
}

static void
a_second_process_and_another_key_are_refused(void **state)
{
    struct err e = {0};
    CLEANUP(mem_cleanup) char *path = two_attempts(*state);
    size_t torn;
    struct journal *j = journal_open(path, KEY, &torn, &e);

    assert_null(journal_open(path, KEY, &torn, &e));
    assert_int_equal(e.code, ERR_CONFLICT);
    journal_close(j);
    assert_null(journal_open(path, HASH, &torn, &e));
    assert_int_equal(e.code, ERR_DENIED);
}

static void
a_torn_last_line_is_cut_off(void **state)
{
    struct err e = {0};
    CLEANUP(mem_cleanup) char *path = two_attempts(*state);
    CLEANUP(buf_free) struct buf all = BUF_INIT(4096);
    const uint8_t *last;

    assert_ok(file_read(path, &all, &e), &e);
    last = memrchr(all.p, '\n', all.n - 1);
    for (size_t n = (size_t)(last + 1 - all.p); n < all.n; n += 3) {
        size_t torn = 0;
        struct journal *j;

        put(path, span_of(all.p, n));
        j = journal_open(path, KEY, &torn, &e);
        assert_non_null(j);
        assert_int_equal(journal_attempts(j), 1);
        assert_null(journal_checkpoint(j));
        assert_int_equal(torn, n - (size_t)(last + 1 - all.p));
        assert_ok(journal_add(j, 'T', HASH, NULL, &e), &e);
        assert_ok(journal_commit(j, &e), &e);
        journal_close(j);
        j = journal_open(path, KEY, &torn, &e);
        assert_non_null(j);
        assert_int_equal(journal_attempts(j), 2);
        journal_close(j);
    }
}

static void
zeros_at_the_end_are_a_torn_line(void **state)
{
    struct err e = {0};
    CLEANUP(mem_cleanup) char *path = two_attempts(*state);
    int fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);
    const uint8_t zeros[600] = {0};
    size_t torn = 0;
    struct journal *j;

    assert_int_equal(write(fd, zeros, sizeof(zeros)), sizeof(zeros));
    (void)close(fd);
    j = journal_open(path, KEY, &torn, &e);
    assert_non_null(j);
    assert_int_equal(torn, sizeof(zeros));
    assert_int_equal(journal_attempts(j), 2);
    journal_close(j);
}

static void
a_changed_octet_before_the_end_is_refused(void **state)
{
    struct err e = {0};
    CLEANUP(mem_cleanup) char *path = two_attempts(*state);
    CLEANUP(buf_free) struct buf all = BUF_INIT(4096);
    size_t torn;

    assert_ok(file_read(path, &all, &e), &e);
    for (size_t i = 0; i + 1 < all.n; i++) {
        all.p[i] ^= 1;
        put(path, buf_span(&all));
        if (journal_open(path, KEY, &torn, &e) != NULL) {
            fail_msg("octet %zu", i);
        }
        assert_int_equal(e.code, ERR_STORE);
        all.p[i] ^= 1;
    }
}

static void
a_removed_line_is_refused(void **state)
{
    struct err e = {0};
    CLEANUP(mem_cleanup) char *path = two_attempts(*state);
    CLEANUP(buf_free) struct buf all = BUF_INIT(4096);
    CLEANUP(buf_free) struct buf without = BUF_INIT(4096);
    const uint8_t *first;
    const uint8_t *second;
    size_t torn;

    assert_ok(file_read(path, &all, &e), &e);
    first = memchr(all.p, '\n', all.n);
    second = memrchr(all.p, '\n', all.n - 1);
    assert_ok(buf_append(&without, span_of(all.p, (size_t)(first + 1 - all.p)), &e), &e);
    assert_ok(buf_append(&without, span_of(second + 1, (size_t)(all.p + all.n - second - 1)), &e),
              &e);
    assert_ok(file_write(path, buf_span(&without), 0600, &e), &e);
    assert_null(journal_open(path, KEY, &torn, &e));
    assert_int_equal(e.code, ERR_STORE);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(attempts_and_the_last_checkpoint_are_remembered, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_second_process_and_another_key_are_refused, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_torn_last_line_is_cut_off, setup, teardown),
        cmocka_unit_test_setup_teardown(zeros_at_the_end_are_a_torn_line, setup, teardown),
        cmocka_unit_test_setup_teardown(a_changed_octet_before_the_end_is_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(a_removed_line_is_refused, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
