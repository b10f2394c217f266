/* SPDX-License-Identifier: Apache-2.0 */
/* What is asked apart can use up itself alone. */
#include "db/audit/query/apart.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "tests/support/test.h"
#include "tests/support/tmpdir.h"

enum { MS = 600000, OCTETS = 64 << 20, REFUSED = 7, ALLOWED = 8, TURNS = 20 /* s */ };

static int
confined(int64_t ms)
{
    struct err e = {0};

    return apart_confine(ms, OCTETS, &e);
}

/* What answer() writes, with `path` as standard output. */
static int
ask_into(const char *path, int (*answer)(void *arg), struct err *e)
{
    CLEANUP(fd_cleanup) int before = dup(STDOUT_FILENO);
    CLEANUP(fd_cleanup) int out = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    int status;

    assert_true(before >= 0 && out >= 0);
    assert_int_equal(fflush(stdout), 0);
    assert_true(dup2(out, STDOUT_FILENO) >= 0);
    status = apart_ask(answer, NULL, e);
    assert_true(dup2(before, STDOUT_FILENO) >= 0);
    return status;
}

/* More than a pipe has room for. */
static int
writes_much(void *arg)
{
    (void)arg;
    if (confined(MS) != 0) {
        return ALLOWED;
    }
    for (int i = 0; i < 100000; i++) {
        (void)printf("%09d\n", i);
    }
    return REFUSED;
}

static void
what_it_says_is_said_by_us(void **state)
{
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/out", (const char *)*state);
    CLEANUP(buf_free) struct buf text = BUF_INIT(2 << 20);
    struct err e = {0};

    assert_int_equal(ask_into(path, writes_much, &e), REFUSED);
    assert_ok(file_read(path, &text, &e), &e);
    assert_int_equal(text.n, 1000000);
    assert_memory_equal(text.p, "000000000\n", 10);
    assert_memory_equal(text.p + 999990, "000099999\n", 10);
}

static void
who_cannot_be_told_is_no_answer(void **state)
{
    struct err e = {0};

    (void)state;
    assert_int_equal(ask_into("/dev/full", writes_much, &e), -1);
    assert_int_equal(e.code, ERR_IO);
    assert_non_null(strstr(e.text, "standard output could not be written"));
}

static int
opens(void *arg)
{
    (void)arg;
    return confined(MS) == 0 && open("/dev/null", O_RDONLY | O_CLOEXEC) < 0 && errno == EMFILE
               ? REFUSED
               : ALLOWED;
}

static int
maps(void *arg)
{
    (void)arg;
    return confined(MS) == 0 && mmap(NULL, 2 * OCTETS, PROT_READ | PROT_WRITE,
                                     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED
               ? REFUSED
               : ALLOWED;
}

static void
it_opens_nothing_and_its_memory_ends(void **state)
{
    struct err e = {0};

    (void)state;
    assert_int_equal(apart_ask(opens, NULL, &e), REFUSED);
    assert_int_equal(apart_ask(maps, NULL, &e), REFUSED);
}

/* Even one that it had before. */
static int
writes_a_file(void *arg)
{
    const int *file = arg;

    return confined(MS) == 0 && write(*file, "x", 1) == 1 ? ALLOWED : REFUSED;
}

static int
turns(void *arg)
{
    (void)arg;
    if (confined(0) != 0) {
        return ALLOWED;
    }
    while (clock() < TURNS * CLOCKS_PER_SEC) {
    }
    return ALLOWED;
}

static void
one_that_goes_on_is_ended(void **state)
{
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/file", (const char *)*state);
    CLEANUP(fd_cleanup) int file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    struct err e = {0};

    assert_true(file >= 0);
    assert_int_equal(apart_ask(writes_a_file, &file, &e), -1);
    assert_int_equal(e.code, ERR_BUSY);
    assert_string_equal(e.text, "its process was ended: File size limit exceeded");
    assert_int_equal(lseek(file, 0, SEEK_END), 0);
    assert_int_equal(apart_ask(turns, NULL, &e), -1);
    assert_string_equal(e.text, "its process was ended: CPU time limit exceeded");
}

static int
begin(void **state)
{
    *state = tmpdir_new();
    return 0;
}

static int
end(void **state)
{
    tmpdir_remove(*state);
    return 0;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_it_says_is_said_by_us),
        cmocka_unit_test(who_cannot_be_told_is_no_answer),
        cmocka_unit_test(it_opens_nothing_and_its_memory_ends),
        cmocka_unit_test(one_that_goes_on_is_ended),
    };

    return cmocka_run_group_tests(tests, begin, end);
}
