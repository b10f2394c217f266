/* SPDX-License-Identifier: Apache-2.0 */
/* Lines of a journal are found from any number on, and what is before them is known. */
#include "tests/support/test.h"

#include "pkcs11/signer/journal/journal.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "pkcs11/client/attempted.h"
#include "pkcs11/signer/journal/marks.h"
#include "tests/support/journal_open.h"
#include "tests/unit/pkcs11/signer/journal/attempts.h"

enum { LINES = 3 * MARKS_EACH + 5, COMMIT_EACH = 100 };

/* What line `number` says: all kinds, so lines of all lengths. */
static void
add(struct journal *j, uint64_t number)
{
    const uint8_t hash[32] = {(uint8_t)number, (uint8_t)(number >> 8), 0x77};
    const uint8_t serial[AGAIN_SERIAL] = {0x40, (uint8_t)number, (uint8_t)(number >> 8)};
    const struct tree_head checkpoint = {.size = number, .root = {(uint8_t)number}};
    struct crl_head crl = {.number = number, .this_update = 1795000000};
    struct err e = {0};

    memcpy(crl.hash, hash, sizeof(hash));
    switch (number % 4) {
    case 0:
        assert_ok(journal_add_certificate(j, hash, serial, &e), &e);
        break;
    case 1:
        assert_ok(journal_add_crl(j, &crl, &e), &e);
        break;
    case 2:
        assert_ok(journal_add(j, 'K', hash, &checkpoint, &e), &e);
        break;
    default:
        assert_ok(journal_add(j, 'P', hash, NULL, &e), &e);
        break;
    }
}

struct seen {
    uint64_t next;
    uint64_t most;
    uint8_t chain[32];
};

static bool
see(void *arg, const struct journal_attempt *a)
{
    static const char kinds[] = "TLKP";
    struct seen *s = arg;
    struct err e = {0};

    assert_int_equal(a->number, s->next);
    assert_int_equal(a->kind, kinds[a->number % 4]);
    assert_int_equal(a->hash[0], (uint8_t)a->number);
    assert_int_equal(a->hash[1], (uint8_t)(a->number >> 8));
    assert_ok(attempted_chain(s->chain, a->number, a->kind, a->hash, &e), &e);
    s->next++;
    return s->next <= s->most;
}

/* All that are near a mark, and some. */
static bool
is_looked_at(uint64_t line)
{
    return (line + 2) % MARKS_EACH < 5 || line % 61 == 0 || line > LINES - 3;
}

/* From a line on: the chain before it, and the lines behind, lead to the same end. */
static void
look_from_everywhere(const struct journal *j)
{
    uint8_t all[32];
    struct err e = {0};

    assert_int_equal(journal_attempts(j), LINES);
    assert_ok(journal_chain(j, LINES + 1, all, &e), &e);
    for (uint64_t first = 1; first <= LINES + 1; first++) {
        struct seen s = {.next = first, .most = LINES};

        if (!is_looked_at(first)) {
            continue;
        }
        assert_ok(journal_chain(j, first, s.chain, &e), &e);
        assert_ok(journal_each(j, first, see, &s, &e), &e);
        assert_int_equal(s.next, LINES + 1);
        assert_memory_equal(s.chain, all, sizeof(all));
    }
}

static struct journal *
open_journal(const char *path)
{
    struct err e = {0};
    size_t torn;
    struct journal *j = journal_open(path, KEY, &torn, &e);

    assert_non_null(j);
    return j;
}

static char *
write_journal(const char *dir)
{
    char *path = mem_printf("%s/journal", dir);
    CLEANUP(journal_cleanup) struct journal *j = open_journal(path);
    struct err e = {0};

    for (uint64_t number = 1; number <= LINES; number++) {
        add(j, number);
        if (number % COMMIT_EACH == 0 || number == LINES) {
            assert_ok(journal_commit(j, &e), &e);
        }
    }
    look_from_everywhere(j);
    return path;
}

static void
each_line_is_found_as_written_and_as_read(void **state)
{
    CLEANUP(mem_cleanup) char *path = write_journal(*state);
    CLEANUP(journal_cleanup) struct journal *j = open_journal(path);
    struct seen few = {.next = 300, .most = 310};
    struct err e = {0};

    look_from_everywhere(j);
    assert_ok(journal_each(j, 300, see, &few, &e), &e);
    assert_int_equal(few.next, 311);
}

static void
a_journal_without_lines_has_an_empty_chain(void **state)
{
    static const uint8_t none[32];
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/journal", (char *)*state);
    CLEANUP(journal_cleanup) struct journal *j = open_journal(path);
    uint8_t chain[32] = {1};
    struct err e = {0};

    assert_ok(journal_chain(j, 1, chain, &e), &e);
    assert_memory_equal(chain, none, sizeof(none));
    assert_ok(journal_each(j, 1, see, NULL, &e), &e);
}

/* Under the process that has it open. */
static void
a_file_that_was_changed_is_not_told(void **state)
{
    CLEANUP(mem_cleanup) char *path = write_journal(*state);
    CLEANUP(journal_cleanup) struct journal *j = open_journal(path);
    struct seen s = {.next = 250, .most = LINES};
    uint8_t chain[32];
    struct err e = {0};
    int fd = open(path, O_WRONLY | O_CLOEXEC);

    assert_true(fd >= 0);
    assert_int_equal(pwrite(fd, "x", 1, 300 * 100), 1); /* within line 260 or so */
    assert_err(journal_each(j, 250, see, &s, &e), ERR_STORE, &e);
    assert_non_null(strstr(e.text, "the record was changed"));
    assert_ok(ftruncate(fd, 200 * 100), &e);
    assert_err(journal_chain(j, 230, chain, &e), ERR_STORE, &e);
    assert_non_null(strstr(e.text, "a line of it is gone"));
    (void)close(fd);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(each_line_is_found_as_written_and_as_read, attempts_set_up,
                                        attempts_tear_down),
        cmocka_unit_test_setup_teardown(a_journal_without_lines_has_an_empty_chain, attempts_set_up,
                                        attempts_tear_down),
        cmocka_unit_test_setup_teardown(a_file_that_was_changed_is_not_told, attempts_set_up,
                                        attempts_tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
