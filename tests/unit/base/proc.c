/* SPDX-License-Identifier: Apache-2.0 */
#include "base/proc.h"

#include <fcntl.h>
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>
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
    assert_non_null(strstr(e.text, "start /nonexistent/program: "));
    assert_int_equal(child.pid, -1);
    assert_int_equal(child.fd, -1);
    child_stop(&child, 0); /* nothing to stop */
}

static void
what_cannot_be_executed_is_an_error_at_once(void **state)
{
    CLEANUP(tmpdir_cleanup) char *dir = tmpdir_new();
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/plain", dir);
    char *const argv[] = {path, NULL};
    struct child child;
    struct err e = {0};

    (void)state;
    assert_ok(file_write(path, SPAN_LITERAL("x"), 0600, &e), &e);
    assert_err(child_start(argv, -1, &child, &e), ERR_IO, &e);
}

static void
a_child_that_ends_by_itself_is_waited_for(void **state)
{
    char *const argv[] = {(char[]){"/bin/sh"}, (char[]){"-c"}, (char[]){"read x <&3; exit 0"},
                          NULL};
    struct child child;
    struct err e = {0};

    (void)state;
    assert_ok(child_start(argv, -1, &child, &e), &e);
    child_stop(&child, 60 * 1000); /* its descriptor is closed: it ends long before */
    assert_int_equal(child.pid, -1);
    assert_int_equal(child.fd, -1);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
}

/* In a process of its own, for it cannot be undone. */
static void
a_hardened_process_leaves_no_core_and_no_files_for_others(void **state)
{
    int status = -1;
    pid_t pid = fork();

    (void)state;
    if (pid == 0) {
        struct err e = {0};
        struct rlimit core;
        struct sigaction pipe_action;
        bool good = proc_harden(&e) == 0 && umask(0) == 077 && prctl(PR_GET_DUMPABLE) == 0 &&
                    getrlimit(RLIMIT_CORE, &core) == 0 && core.rlim_cur == 0 &&
                    core.rlim_max == 0 && sigaction(SIGPIPE, NULL, &pipe_action) == 0 &&
                    pipe_action.sa_handler == SIG_IGN;

        _exit(good ? 0 : 1);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

/* The signals of a service manager, while the parent lives. */
static void
a_call_that_runs_is_finished_while_the_parent_lives(void **state)
{
    static const int signals[] = {SIGTERM, SIGINT, SIGHUP};
    int status = -1;
    pid_t pid = fork();

    (void)state;
    if (pid == 0) {
        struct err e = {0};
        bool good = proc_finish_calls(1, &e) == 0;

        for (size_t i = 0; i < ARRAY_LEN(signals); i++) {
            (void)raise(signals[i]);
            good = good && alarm(0) == 0;
        }
        _exit(good ? 0 : 1);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

/* An orphan has a while left, and the alarm is set for it. */
static void
an_orphan_has_a_while_to_finish(void **state)
{
    int ends[2];
    char result = 'x';
    pid_t pid;

    (void)state;
    assert_int_equal(pipe(ends), 0);
    pid = fork();
    if (pid == 0) {
        int ready[2];

        if (pipe(ready) != 0 || fork() != 0) {
            char c;

            (void)close(ready[1]);
            _exit(read(ready[0], &c, 1) == 1 ? 0 : 1); /* it knows its first parent then */
        } else {
            struct err e = {0};
            pid_t parent = getppid();
            char good = proc_finish_calls(700, &e) == 0 && write(ready[1], "r", 1) == 1 ? 'y' : 'n';

            while (getppid() == parent) {
                (void)usleep(1000);
            }
            (void)raise(SIGTERM);
            good = alarm(0) > 600 ? good : 'n';
            _exit(write(ends[1], &good, 1) == 1 ? 0 : 1);
        }
    }
    (void)close(ends[1]);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    assert_int_equal(read(ends[0], &result, 1), 1);
    (void)close(ends[0]);
    assert_int_equal(result, 'y');
}

/* What a program at a terminal of its own gets, when `typed` is typed as soon as it asks; and what
 * stood on the screen. */
static pid_t
at_terminal(const char *typed, size_t max, char *screen, size_t size, int *status)
{
    int terminal = -1;
    pid_t pid = forkpty(&terminal, NULL, NULL, NULL);
    size_t n = 0;
    bool answered = false;

    if (pid == 0) {
        CLEANUP(buf_free) struct buf pin = BUF_SECRET(max);
        struct err e = {0};
        int result = secret_prompt("PIN: ", &pin, &e);
        struct termios after;
        bool echo = tcgetattr(STDIN_FILENO, &after) == 0 && (after.c_lflag & ECHO) != 0;

        (void)printf("[%s|%.*s|%s]\n", result == 0 ? "ok" : e.text, (int)pin.n,
                     pin.n == 0 ? "" : (const char *)pin.p, echo ? "echo" : "quiet");
        (void)fflush(stdout);
        _exit(0);
    }
    while (n + 1 < size) {
        ssize_t got = read(terminal, screen + n, size - 1 - n);

        if (got <= 0) {
            break;
        }
        n += (size_t)got;
        screen[n] = '\0';
        if (!answered && strstr(screen, "PIN: ") != NULL) {
            answered = true;
            assert_int_equal(write(terminal, typed, strlen(typed)), (ssize_t)strlen(typed));
        }
    }
    (void)close(terminal);
    assert_int_equal(waitpid(pid, status, 0), pid);
    return pid;
}

static void
a_secret_is_typed_without_echo(void **state)
{
    static const struct {
        const char *typed;
        const char *wanted;
    } rows[] = {
        {"1234\n", "PIN: \r\n[ok|1234|echo]\r\n"},
        {"12345678\n", "PIN: \r\n[ok|12345678|echo]\r\n"},
        {"\n", "PIN: \r\n[nothing was typed||echo]\r\n"},
        {"\004", "PIN: \r\n[nothing was typed||echo]\r\n"},
        {"123456789\n", "PIN: \r\n[more than the allowed 8 octets|12345678|echo]\r\n"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char screen[512] = "";
        int status = -1;

        (void)at_terminal(rows[i].typed, 8, screen, sizeof(screen), &status);
        if (strcmp(screen, rows[i].wanted) != 0 || status != 0) {
            fail_msg("row %zu: %s", i, screen);
        }
    }
}

static void
a_secret_is_typed_at_a_terminal_only(void **state)
{
    int status = -1;
    pid_t pid = fork();

    (void)state;
    if (pid == 0) {
        CLEANUP(buf_free) struct buf pin = BUF_SECRET(8);
        struct err e = {0};

        _exit(setsid() > 0 && secret_prompt("PIN: ", &pin, &e) != 0 && e.code == ERR_IO &&
                      strstr(e.text, "a secret is typed at a terminal only") != NULL
                  ? 0
                  : 1);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
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
    assert_non_null(strstr(e.text, "/pin can be read by others: chmod 600 and chown it"));
    (void)unsetenv("CREDENTIALS_DIRECTORY");
    assert_err(secret_read(-1, "pin", &pin, &e), ERR_NOTFOUND, &e);
    assert_non_null(strstr(e.text, "no secret 'pin': CREDENTIALS_DIRECTORY is not set"));
}

static void
a_credential_is_the_owner_s_alone_and_of_a_size(void **state)
{
    static const struct {
        mode_t mode;
        size_t n;
        const char *reason; /* NULL: good */
    } rows[] = {
        {0600, 64, NULL},
        {0400, 1, NULL},
        {0700, 64, NULL},
        {0640, 64, "can be read by others"},
        {0620, 64, "can be read by others"},
        {0610, 64, "can be read by others"},
        {0604, 64, "can be read by others"},
        {0602, 64, "can be read by others"},
        {0601, 64, "can be read by others"},
        {0600, 65, "more than the allowed 64 octets"},
        {0600, 300, "more than the allowed 64 octets"},
        {0600, 0, "the secret 'pin' is empty"},
    };
    CLEANUP(tmpdir_cleanup) char *dir = tmpdir_new();
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/pin", dir);
    CLEANUP(mem_cleanup) char *link = mem_printf("%s/link", dir);
    char text[300];
    struct err e = {0};

    (void)state;
    memset(text, '7', sizeof(text));
    (void)setenv("CREDENTIALS_DIRECTORY", dir, 1);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(buf_free) struct buf pin = BUF_SECRET(64);
        int result;

        assert_ok(file_write(path, span_of(text, rows[i].n), rows[i].mode, &e), &e);
        e = (struct err){0};
        result = secret_read(-1, "pin", &pin, &e);
        if ((result == 0) != (rows[i].reason == NULL) ||
            (result != 0 && strstr(e.text, rows[i].reason) == NULL)) {
            fail_msg("row %zu: %s", i, e.text);
        }
    }
    assert_int_equal(symlink(path, link), 0);
    {
        CLEANUP(buf_free) struct buf pin = BUF_SECRET(64);

        assert_err(secret_read(-1, "link", &pin, &e), ERR_IO, &e);
        assert_non_null(strstr(e.text, "open "));
        if (geteuid() == 0) {
            assert_ok(file_write(path, SPAN_LITERAL("1234"), 0600, &e), &e);
            assert_int_equal(chown(path, 1, 1), 0);
            assert_err(secret_read(-1, "pin", &pin, &e), ERR_DENIED, &e);
        }
    }
    (void)unsetenv("CREDENTIALS_DIRECTORY");
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

/* Standard input is a descriptor like others. */
static void
a_secret_comes_from_standard_input_too(void **state)
{
    int status = -1;
    int ends[2];
    pid_t pid;

    (void)state;
    (void)unsetenv("CREDENTIALS_DIRECTORY");
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(write(ends[1], "abcd\n", 5), 5);
    (void)close(ends[1]);
    pid = fork();
    if (pid == 0) {
        CLEANUP(buf_free) struct buf pin = BUF_SECRET(64);
        struct err e = {0};

        _exit(dup2(ends[0], STDIN_FILENO) == STDIN_FILENO &&
                      secret_read(STDIN_FILENO, "pin", &pin, &e) == 0 &&
                      span_equal(buf_span(&pin), SPAN_LITERAL("abcd"))
                  ? 0
                  : 1);
    }
    (void)close(ends[0]);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

/* A secret that is longer than one read(2), that has a line break within, or cannot be read. */
static void
a_secret_from_a_descriptor_is_whole_or_refused(void **state)
{
    CLEANUP(buf_free) struct buf pin = BUF_SECRET(600);
    char text[601];
    struct err e = {0};
    int ends[2];

    (void)state;
    memset(text, 'x', sizeof(text));
    text[3] = '\n';
    for (size_t n = 600; n <= 601; n++) {
        assert_int_equal(pipe(ends), 0);
        assert_int_equal(write(ends[1], text, n), (ssize_t)n);
        (void)close(ends[1]);
        if (n == 600) {
            assert_ok(secret_read(ends[0], "pin", &pin, &e), &e);
            assert_true(span_equal(buf_span(&pin), span_of(text, n)));
        } else {
            assert_err(secret_read(ends[0], "pin", &pin, &e), ERR_INPUT, &e);
            assert_non_null(strstr(e.text, "secret from the descriptor: more than the allowed"));
        }
    }
    assert_err(secret_read(open("/", O_RDONLY), "pin", &pin, &e), ERR_IO, &e);
    assert_non_null(strstr(e.text, "read the secret from the descriptor: "));
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
        cmocka_unit_test(what_cannot_be_executed_is_an_error_at_once),
        cmocka_unit_test(a_child_that_ends_by_itself_is_waited_for),
        cmocka_unit_test(a_hardened_process_leaves_no_core_and_no_files_for_others),
        cmocka_unit_test(a_call_that_runs_is_finished_while_the_parent_lives),
        cmocka_unit_test(an_orphan_has_a_while_to_finish),
        cmocka_unit_test(a_secret_is_typed_without_echo),
        cmocka_unit_test(a_secret_is_typed_at_a_terminal_only),
        cmocka_unit_test(a_credential_is_the_owner_s_alone_and_of_a_size),
        cmocka_unit_test(a_secret_comes_from_standard_input_too),
        cmocka_unit_test(a_secret_from_a_descriptor_is_whole_or_refused),
        cmocka_unit_test(a_secret_comes_from_a_descriptor_and_closes_it),
    };
    struct err e = {0};

    return ossl_init(&e) != 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
