/* SPDX-License-Identifier: Apache-2.0 */
/* How many of the attempts are known to have given a signature: as each line says, and the one that
 * an end in order leaves. */
#include <string.h>

#include "base/file.h"
#include "tests/support/journal_open.h"
#include "tests/support/test.h"
#include "tests/unit/pkcs11/signer/journal/attempts.h"
#include "tests/unit/pkcs11/signer/scene.h"

#define FIRST                                                                                      \
    "nfpki-signer-journal 1 0100000000000000000000000000000000000000000000000000000000000000\n"
#define N(digit) "0000000000000000000" digit
#define SUM "ab00000000000000000000000000000000000000000000000000000000000000"
#define T(number) N(number) " T " SUM /* as signers of before wrote it */
#define K(number) N(number) " K " SUM " " N("7") " " SUM
#define ENDED(number, signatures) N(number) " N " N(signatures) "\n"
#define COUNTS(signatures) " s" N(signatures) "\n"

static char *
journal_of(const char *dir, const char *lines)
{
    char *path = mem_printf("%s/journal", dir);
    CLEANUP(buf_free) struct buf all = BUF_INIT(16384);
    CLEANUP(mem_cleanup) char *text = mem_strdup(lines);
    char *rest = text;
    struct err e = {0};

    for (char *line = strsep(&rest, "\n"); rest != NULL; line = strsep(&rest, "\n")) {
        CLEANUP(mem_cleanup) char *sealed = journal_line_seal(line);

        assert_ok(buf_append_str(&all, sealed, &e), &e);
    }
    assert_ok(file_write(path, buf_span(&all), 0600, &e), &e);
    return path;
}

static void
a_count_is_of_what_was_attempted_before_and_never_falls(void **state)
{
    static const struct {
        const char *name;
        const char *lines;
        bool good;
        uint64_t attempts, signatures;
    } rows[] = {
        {"no line", FIRST, true, 0, 0},
        {"lines of before, which count nothing", FIRST T("1") "\n" K("2") "\n", true, 2, 0},
        {"a line of each kind",
         FIRST T("1") COUNTS("0") T("2") " 41414141414141414141414141414141" COUNTS("1")
             N("3") " L " SUM " " N("4") " " N("5") COUNTS("2") K("4") COUNTS("2")
                 N("5") " P " SUM COUNTS("4") N("6") " Q " SUM COUNTS("4"),
         true, 6, 4},
        {"lines of before, and then it counts", FIRST T("1") "\n" T("2") "\n" T("3") COUNTS("0"),
         true, 3, 0},
        {"ends",
         FIRST ENDED("0", "0") T("1") COUNTS("0") ENDED("1", "1") ENDED("1", "1") T("2") COUNTS("1")
             ENDED("2", "2"),
         true, 2, 2},
        {"a count of the line itself", FIRST T("1") COUNTS("1"), false, 0, 0},
        {"a count that falls", FIRST T("1") COUNTS("0") T("2") COUNTS("1") T("3") COUNTS("0"),
         false, 0, 0},
        {"an end of more than was attempted", FIRST T("1") COUNTS("0") ENDED("1", "2"), false, 0,
         0},
        {"an end whose count falls", FIRST T("1") COUNTS("0") ENDED("1", "1") ENDED("1", "0"),
         false, 0, 0},
        {"an end behind a line that is not there", FIRST T("1") COUNTS("0") ENDED("2", "1"), false,
         0, 0},
        {"an end behind a line before", FIRST T("1") COUNTS("0") ENDED("0", "0"), false, 0, 0},
        {"a short count", FIRST T("1") " s0\n", false, 0, 0},
        {"a count that is no number", FIRST T("1") " s0000000000000000000x\n", false, 0, 0},
        {"two counts", FIRST T("1") " s" N("0") COUNTS("0"), false, 0, 0},
        {"a count in the place of the hash", FIRST N("1") " T" COUNTS("0"), false, 0, 0},
        {"a count in the place of the root", FIRST N("1") " K " SUM " " N("7") COUNTS("0"), false,
         0, 0},
        {"a short end", FIRST N("0") " N 0\n", false, 0, 0},
        {"an end with more", FIRST N("0") " N " N("0") " 0\n", false, 0, 0},
    };
    size_t good = 0;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(mem_cleanup) char *path = journal_of(*state, rows[i].lines);
        struct err e = {0};
        size_t torn = 0;
        CLEANUP(journal_cleanup) struct journal *j = journal_open(path, KEY, &torn, &e);
        const bool is = rows[i].good
                            ? j != NULL && journal_attempts(j) == rows[i].attempts &&
                                  journal_signatures(j) == rows[i].signatures && torn == 0
                            : j == NULL && e.code == ERR_STORE &&
                                  strstr(e.text, "not the attempt that belongs here") != NULL;

        if (!is) {
            print_error("%s: %s\n", rows[i].name, j == NULL ? e.text : "opened, with others");
        }
        good += is;
    }
    assert_int_equal(good, ARRAY_LEN(rows));
}

static void
sign(struct journal *j, int attempts)
{
    struct err e = {0};

    for (int i = 0; i < attempts; i++) {
        assert_ok(journal_add(j, 'P', HASH, NULL, &e), &e);
    }
    assert_ok(journal_commit(j, &e), &e);
    for (int i = 0; i < attempts; i++) {
        journal_signed(j);
    }
}

static bool
is_numbered(void *arg, const struct journal_attempt *a)
{
    uint64_t *number = arg;

    return a->number == ++*number;
}

/* Behind a kill those of the last commit are not known. */
static void
the_figure_is_exact_but_for_the_last_commit_before_a_kill(void **state)
{
    static const struct {
        int last; /* attempts in the last commit */
        bool killed;
        uint64_t signatures; /* that the next one knows of */
    } runs[] = {{2, true, 1}, {2, false, 4}, {3, true, 5}, {1, true, 6}, {5, false, 12}};
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/journal", (char *)*state);
    uint64_t attempts = 0;
    uint64_t known = 0;
    struct err e = {0};

    for (size_t i = 0; i < ARRAY_LEN(runs); i++) {
        size_t torn = 0;
        uint64_t seen = 0;
        uint8_t chain[AGAIN_HASH];
        CLEANUP(journal_cleanup) struct journal *j = journal_open(path, KEY, &torn, &e);

        assert_non_null(j);
        assert_int_equal(torn, 0);
        assert_int_equal(journal_attempts(j), attempts);
        assert_int_equal(journal_signatures(j), known);
        sign(j, 1);
        sign(j, runs[i].last);
        attempts += 1 + (uint64_t)runs[i].last;
        assert_int_equal(journal_signatures(j), known + 1 + (uint64_t)runs[i].last);
        known = runs[i].signatures;
        if (!runs[i].killed) {
            assert_ok(journal_end(j, &e), &e);
            assert_ok(journal_end(j, &e), &e); /* which has no more to say */
        }
        /* The lines of the ends are no attempts. */
        assert_ok(journal_each(j, 1, is_numbered, &seen, &e), &e);
        assert_int_equal(seen, attempts);
        assert_ok(journal_chain(j, attempts, chain, &e), &e);
    }
}

/* What was added and not committed is on no disk: an end that counted behind it would be refused.
 */
static void
an_end_behind_what_is_not_committed_says_nothing(void **state)
{
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/journal", (char *)*state);
    struct err e = {0};
    size_t torn = 0;
    struct journal *j = journal_open(path, KEY, &torn, &e);

    assert_non_null(j);
    sign(j, 1);
    assert_ok(journal_add(j, 'P', HASH, NULL, &e), &e);
    assert_ok(journal_end(j, &e), &e);
    journal_close(j);
    j = journal_open(path, KEY, &torn, &e);
    assert_non_null(j);
    assert_int_equal(journal_attempts(j), 1);
    assert_int_equal(journal_signatures(j), 0);
    journal_close(j);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_count_is_of_what_was_attempted_before_and_never_falls,
                                        attempts_set_up, attempts_tear_down),
        cmocka_unit_test_setup_teardown(the_figure_is_exact_but_for_the_last_commit_before_a_kill,
                                        attempts_set_up, attempts_tear_down),
        cmocka_unit_test_setup_teardown(an_end_behind_what_is_not_committed_says_nothing,
                                        attempts_set_up, attempts_tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
