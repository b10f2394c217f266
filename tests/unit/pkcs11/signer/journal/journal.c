/* SPDX-License-Identifier: Apache-2.0 */
/* What a journal remembers, and who may have it. */
#include "tests/support/test.h"

#include "pkcs11/signer/journal/journal.h"

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "tests/support/journal_open.h"
#include "tests/unit/pkcs11/signer/journal/attempts.h"

static void
attempts_and_the_last_checkpoint_are_remembered(void **state)
{
    struct err e = {0};
    CLEANUP(mem_cleanup) char *path = attempts_two(*state);
    size_t torn = 1;
    CLEANUP(journal_cleanup) struct journal *j = journal_open(path, KEY, &torn, &e);

    assert_non_null(j);
    assert_int_equal(torn, 0);
    assert_int_equal(journal_attempts(j), 2);
    assert_non_null(journal_checkpoint(j));
    assert_int_equal(journal_checkpoint(j)->size, 7);
    assert_int_equal(journal_checkpoint(j)->root[0], 9);
}

/* What may not come again otherwise, from lines that are written here, and of a signer of before.
 */
static void
serial_numbers_and_crls_are_remembered(void **state)
{
    static const uint8_t serial[AGAIN_SERIAL] = {0x41, [15] = 7};
    static const uint8_t other[32] = {5};
    const struct crl_head head = {.number = 9, .this_update = 1795000000, .hash = {1}};
    struct crl_head next = {.number = 8, .this_update = 1795000000};
    struct err e = {0};
    CLEANUP(mem_cleanup) char *path = attempts_two(*state);
    size_t torn;
    struct journal *j = journal_open(path, KEY, &torn, &e);

    assert_non_null(j);
    assert_ok(again_check_certificate(journal_again(j), serial, other, &e), &e);
    assert_ok(again_check_crl(journal_again(j), &next, 1795000000, &e), &e);
    assert_ok(journal_add(j, 'L', HASH, NULL, &e), &e); /* as signers of before did */
    assert_ok(again_check_crl(journal_again(j), &next, 1795000000, &e), &e);
    assert_ok(journal_add_certificate(j, HASH, serial, &e), &e);
    assert_ok(journal_add_crl(j, &head, &e), &e);
    assert_ok(journal_commit(j, &e), &e);
    for (int round = 0; round < 2; round++) {
        assert_int_equal(journal_attempts(j), 5);
        assert_ok(again_check_certificate(journal_again(j), serial, HASH, &e), &e);
        assert_err(again_check_certificate(journal_again(j), serial, other, &e), ERR_DENIED, &e);
        assert_ok(again_check_crl(journal_again(j), &head, 1795000000, &e), &e);
        assert_err(again_check_crl(journal_again(j), &next, 1795000000, &e), ERR_DENIED, &e);
        journal_close(j);
        j = journal_open(path, KEY, &torn, &e);
        assert_non_null(j);
    }
    while (journal_add_certificate(j, HASH, serial, &e) == 0) {
    }
    assert_int_equal(e.code, ERR_INPUT); /* there is no room */
    while (journal_add_crl(j, &head, &e) == 0) {
    }
    assert_int_equal(e.code, ERR_INPUT);
    journal_close(j);
}

static void
a_second_process_and_another_key_are_refused(void **state)
{
    struct err e = {0};
    CLEANUP(mem_cleanup) char *path = attempts_two(*state);
    size_t torn;
    struct journal *j = journal_open(path, KEY, &torn, &e);

    assert_null(journal_open(path, KEY, &torn, &e));
    assert_int_equal(e.code, ERR_CONFLICT);
    journal_close(j);
    assert_null(journal_open(path, HASH, &torn, &e));
    assert_int_equal(e.code, ERR_DENIED);
}

static void
nothing_is_counted_that_finds_no_room(void **state)
{
    struct err e = {0};
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/journal", (char *)*state);
    const struct tree_head c = {.size = 7};
    uint64_t attempts = 0;
    size_t torn;
    CLEANUP(journal_cleanup) struct journal *j = journal_open(path, KEY, &torn, &e);

    assert_non_null(j);
    assert_null(journal_checkpoint(j));
    while (journal_add(j, 'T', HASH, NULL, &e) == 0) {
        attempts++;
    }
    assert_int_equal(e.code, ERR_INPUT);
    assert_int_equal(attempts, 64 * 1024 / 119); /* octets of a line */
    assert_int_equal(journal_attempts(j), attempts);
    assert_err(journal_add(j, 'K', HASH, &c, &e), ERR_INPUT, &e);
    assert_int_equal(journal_attempts(j), attempts);
    assert_null(journal_checkpoint(j));
    assert_ok(journal_commit(j, &e), &e);
    assert_ok(journal_add(j, 'K', HASH, &c, &e), &e);
    assert_int_equal(journal_attempts(j), attempts + 1);
    assert_int_equal(journal_checkpoint(j)->size, 7);
}

static void
a_path_that_cannot_be_a_journal_is_refused(void **state)
{
    struct err e = {0};
    CLEANUP(mem_cleanup) char *path = attempts_two(*state);
    CLEANUP(mem_cleanup) char *link_path = mem_printf("%s/link", (char *)*state);
    CLEANUP(mem_cleanup) char *nowhere = mem_printf("%s/no/journal", (char *)*state);
    size_t torn;

    assert_int_equal(symlink(path, link_path), 0);
    assert_null(journal_open(link_path, KEY, &torn, &e));
    assert_int_equal(e.code, ERR_IO);
    assert_null(journal_open(*state, KEY, &torn, &e));
    assert_int_equal(e.code, ERR_IO);
    assert_null(journal_open(nowhere, KEY, &torn, &e));
    assert_int_equal(e.code, ERR_IO);
    assert_non_null(strstr(e.text, "open "));
    /* Opened, but its first octet cannot be read. */
    assert_null(journal_open("/proc/self/mem", KEY, &torn, &e));
    assert_int_equal(e.code, ERR_IO);
    assert_non_null(strstr(e.text, "read "));
}

/* Ends while the one that wants it waits. */
static void *
close_soon(void *journal)
{
    (void)poll(NULL, 0, 50);
    journal_close(journal);
    return NULL;
}

static void
the_journal_of_one_that_is_ending_is_waited_for(void **state)
{
    struct err e = {0};
    CLEANUP(mem_cleanup) char *path = attempts_two(*state);
    size_t torn;
    struct journal *j = journal_open(path, KEY, &torn, &e);
    struct journal *next;
    pthread_t thread;

    assert_non_null(j);
    assert_int_equal(pthread_create(&thread, NULL, close_soon, j), 0);
    next = journal_open(path, KEY, &torn, &e);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_non_null(next);
    assert_int_equal(journal_attempts(next), 2);
    journal_close(next);
    journal_close(NULL);
}

/* A disk that is full, as the kernel would say it of a file that may not grow. */
static void
what_cannot_be_written_is_told(void **state)
{
    struct rlimit before;
    struct rlimit none;
    struct err e = {0};
    CLEANUP(mem_cleanup) char *path = attempts_two(*state);
    CLEANUP(mem_cleanup) char *fresh = mem_printf("%s/fresh", (char *)*state);
    size_t torn;
    CLEANUP(journal_cleanup) struct journal *j = journal_open(path, KEY, &torn, &e);

    assert_non_null(j);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    none = before;
    none.rlim_cur = 0;
    assert_true(signal(SIGXFSZ, SIG_IGN) != SIG_ERR);
    assert_ok(journal_add(j, 'T', HASH, NULL, &e), &e);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &none), 0);
    assert_err(journal_commit(j, &e), ERR_IO, &e);
    assert_int_equal(strncmp(e.text, "write ", 6), 0);
    assert_null(journal_open(fresh, KEY, &torn, &e));
    assert_int_equal(e.code, ERR_IO);
    assert_int_equal(strncmp(e.text, "write ", 6), 0);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_true(signal(SIGXFSZ, SIG_DFL) != SIG_ERR);
}

/* Among others, at both ends and in the middle, and of signers of one that seals. */
static void
a_checkpoint_of_before_is_found_and_no_other(void **state)
{
    static const uint64_t sizes[] = {8, 8, 9, 300, UINT64_MAX};
    CLEANUP(mem_cleanup) char *path = attempts_two(*state); /* T, and K of 7 leaves */
    struct err e = {0};
    struct tree_head head = {.root = {1}};
    size_t torn;
    bool found = false;
    CLEANUP(journal_cleanup) struct journal *j = journal_open(path, KEY, &torn, &e);

    assert_non_null(j);
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        head.size = sizes[i];
        head.root[1] = (uint8_t)i;
        assert_ok(journal_add(j, 'K', HASH, &head, &e), &e);
        assert_ok(journal_add(j, 'S', HASH, NULL, &e), &e);
    }
    assert_ok(journal_commit(j, &e), &e);
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        head.size = sizes[i];
        head.root[1] = (uint8_t)i;
        assert_ok(journal_has_checkpoint(j, &head, &found, &e), &e);
        assert_true(found);
        head.root[1] ^= 0x80;
        assert_ok(journal_has_checkpoint(j, &head, &found, &e), &e);
        assert_false(found);
    }
    head = (struct tree_head){.size = 7, .root = {9}};
    assert_ok(journal_has_checkpoint(j, &head, &found, &e), &e);
    assert_true(found);
    for (uint64_t size = 0; size < 7; size++) {
        head.size = size;
        assert_ok(journal_has_checkpoint(j, &head, &found, &e), &e);
        assert_false(found);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(attempts_and_the_last_checkpoint_are_remembered,
                                        attempts_set_up, attempts_tear_down),
        cmocka_unit_test_setup_teardown(serial_numbers_and_crls_are_remembered, attempts_set_up,
                                        attempts_tear_down),
        cmocka_unit_test_setup_teardown(a_checkpoint_of_before_is_found_and_no_other,
                                        attempts_set_up, attempts_tear_down),
        cmocka_unit_test_setup_teardown(a_second_process_and_another_key_are_refused,
                                        attempts_set_up, attempts_tear_down),
        cmocka_unit_test_setup_teardown(the_journal_of_one_that_is_ending_is_waited_for,
                                        attempts_set_up, attempts_tear_down),
        cmocka_unit_test_setup_teardown(what_cannot_be_written_is_told, attempts_set_up,
                                        attempts_tear_down),
        cmocka_unit_test_setup_teardown(nothing_is_counted_that_finds_no_room, attempts_set_up,
                                        attempts_tear_down),
        cmocka_unit_test_setup_teardown(a_path_that_cannot_be_a_journal_is_refused, attempts_set_up,
                                        attempts_tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
