/* SPDX-License-Identifier: Apache-2.0 */
#include "base/proc.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/ossl.h"
#include "tests/support/test.h"
#include "tests/support/tmpdir.h"

static void
a_child_talks_over_descriptor_3_and_inherits_nothing_else(void **state)
{
    char *const argv[] = {(char[]){"/bin/sh"}, (char[]){"-c"},
                          (char[]){"ls /proc/self/fd | tr '\\n' ' ' >&3"}, NULL};
    CLEANUP(fd_cleanup) int leaked = open("/dev/null", O_RDONLY);
    struct child child;
    struct err e = {0};
    char text[64] = {0};

    (void)state;
    assert_ok(child_start(argv, -1, &child, &e), &e);
    assert_true(read(child.fd, text, sizeof(text) - 1) > 0);
    /* 0 to 2, our socket, and the directory that ls has open */
    assert_string_equal(text, "0 1 2 3 4 ");
    child_stop(&child, 1000);
    assert_int_equal(child.pid, -1);
    assert_true(leaked > 2);
}

static void
a_descriptor_can_be_handed_on_as_number_4(void **state)
{
    char *const argv[] = {(char[]){"/bin/sh"}, (char[]){"-c"}, (char[]){"cat <&4 >&3"}, NULL};
    struct child child;
    struct err e = {0};
    char text[8] = {0};
    int ends[2];

    (void)state;
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(write(ends[1], "1234", 4), 4);
    (void)close(ends[1]);
    assert_ok(child_start(argv, ends[0], &child, &e), &e);
    (void)close(ends[0]);
    assert_int_equal(read(child.fd, text, sizeof(text) - 1), 4);
    assert_string_equal(text, "1234");
    child_stop(&child, 1000);
}

static void
a_child_that_does_not_listen_is_killed(void **state)
{
    char *const argv[] = {(char[]){"/bin/sh"}, (char[]){"-c"},
                          (char[]){"trap '' TERM; echo >&3; while :; do sleep 1; done"}, NULL};
    struct child child;
    struct err e = {0};
    char c;

    (void)state;
    assert_ok(child_start(argv, -1, &child, &e), &e);
    assert_int_equal(read(child.fd, &c, 1), 1);
    child_stop(&child, 20);
    assert_int_equal(child.pid, -1);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
}

static void
a_program_that_is_not_there_is_an_error_at_once(void **state)
{
    char *const argv[] = {(char[]){"/nonexistent/program"}, NULL};
    struct child child;
    struct err e = {0};

    (void)state;
    assert_err(child_start(argv, -1, &child, &e), ERR_NOTFOUND, &e);
}

static void
a_credential_is_read_without_its_line_break(void **state)
{
    CLEANUP(tmpdir_cleanup) char *dir = tmpdir_new();
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/pin", dir);
    CLEANUP(buf_free) struct buf pin = BUF_SECRET(64);
    struct err e = {0};

    (void)state;
    (void)setenv("CREDENTIALS_DIRECTORY", dir, 1);
    assert_err(secret_read(-1, "pin", &pin, &e), ERR_NOTFOUND, &e);
    assert_ok(file_write(path, SPAN_LITERAL("1234\n"), 0600, &e), &e);
    assert_ok(secret_read(-1, "pin", &pin, &e), &e);
    assert_true(span_equal(buf_span(&pin), SPAN_LITERAL("1234")));
    assert_ok(file_write(path, SPAN_LITERAL("\n"), 0600, &e), &e);
    assert_err(secret_read(-1, "pin", &pin, &e), ERR_INPUT, &e);
    assert_ok(file_write(path, SPAN_LITERAL("1234\n"), 0644, &e), &e);
    assert_err(secret_read(-1, "pin", &pin, &e), ERR_DENIED, &e);
    (void)unsetenv("CREDENTIALS_DIRECTORY");
    assert_err(secret_read(-1, "pin", &pin, &e), ERR_NOTFOUND, &e);
}

static void
a_secret_comes_from_a_descriptor_and_closes_it(void **state)
{
    CLEANUP(buf_free) struct buf pin = BUF_SECRET(64);
    struct err e = {0};
    int ends[2];

    (void)state;
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(write(ends[1], "abcd", 4), 4);
    (void)close(ends[1]);
    assert_ok(secret_read(ends[0], "pin", &pin, &e), &e);
    assert_true(span_equal(buf_span(&pin), SPAN_LITERAL("abcd")));
    assert_int_equal(fcntl(ends[0], F_GETFD), -1);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_child_talks_over_descriptor_3_and_inherits_nothing_else),
        cmocka_unit_test(a_descriptor_can_be_handed_on_as_number_4),
        cmocka_unit_test(a_child_that_does_not_listen_is_killed),
        cmocka_unit_test(a_program_that_is_not_there_is_an_error_at_once),
        cmocka_unit_test(a_credential_is_read_without_its_line_break),
        cmocka_unit_test(a_secret_comes_from_a_descriptor_and_closes_it),
    };
    struct err e = {0};

    return ossl_init(&e) != 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
