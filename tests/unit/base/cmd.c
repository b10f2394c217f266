/* SPDX-License-Identifier: Apache-2.0 */
#include "base/cmd.h"

#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "tests/support/test.h"

static int ran;

static int
run(int argc, char **argv)
{
    (void)argv;
    ran = argc;
    return 7;
}

static const struct cmd commands[] = {{"register", "FILE", "registers", run}};
static const struct program program = {"nfpki-x", "does x", "", commands, 1};

static char said[4096];

/* What is written to stdout and stderr by `call`. */
static const char *
during(int (*what)(void), int *status)
{
    int out = dup(STDOUT_FILENO);
    int err = dup(STDERR_FILENO);
    int ends[2];
    ssize_t n;

    (void)fflush(NULL);
    assert_int_equal(pipe(ends), 0);
    assert_true(dup2(ends[1], STDOUT_FILENO) >= 0 && dup2(ends[1], STDERR_FILENO) >= 0);
    *status = what();
    (void)fflush(NULL);
    assert_true(dup2(out, STDOUT_FILENO) >= 0 && dup2(err, STDERR_FILENO) >= 0);
    (void)close(out);
    (void)close(err);
    (void)close(ends[1]);
    n = read(ends[0], said, sizeof(said) - 1);
    (void)close(ends[0]);
    said[n > 0 ? n : 0] = '\0';
    return said;
}

static int
call(int argc, const char *a, const char *b)
{
    char first[32];
    char second[32];
    char *argv[] = {first, second, NULL};

    (void)snprintf(first, sizeof(first), "%s", a);
    (void)snprintf(second, sizeof(second), "%s", b);
    ran = 0;
    return cmd_run(&program, argc, argv);
}

static void
a_known_command_runs_and_its_status_is_the_result(void **state)
{
    (void)state;
    assert_int_equal(call(2, "register", "f"), 7);
    assert_int_equal(ran, 2);
}

static void
an_unknown_or_missing_command_is_misuse(void **state)
{
    (void)state;
    assert_int_equal(call(1, "registre", ""), 2);
    assert_int_equal(call(0, "", ""), 2);
    assert_int_equal(call(1, "completion", ""), 2);
    assert_int_equal(ran, 0);
    assert_int_equal(call(1, "help", ""), 0);
    assert_int_equal(call(1, "--version", ""), 0);
    assert_int_equal(call(2, "completion", "bash"), 0);
}

static int
help(void)
{
    return call(1, "--help", "");
}

static int
nothing(void)
{
    return call(0, "", "");
}

static int
version(void)
{
    return call(1, "--version", "");
}

static int
complete(void)
{
    return call(2, "completion", "bash");
}

static int
other_shell(void)
{
    return call(2, "completion", "fish");
}

static int
unknown(void)
{
    return call(1, "registre", "");
}

static int
misused(void)
{
    return cmd_misuse(&program, "register");
}

static int
misused_unknown(void)
{
    return cmd_misuse(&program, "registre");
}

static int
usage_of_options(void)
{
    static const struct program with = {"nfpki-y", "does y", "[--socket PATH]", commands, 1};

    cmd_usage(&with, stdout);
    return 0;
}

static void
what_is_said_names_the_program_and_its_commands(void **state)
{
#define USAGE                                                                                      \
    "usage: nfpki-x command [argument ...]\n\ndoes x\n\ncommands:\n  register FILE\n"              \
    "      registers\n  help\n      print this\n  completion bash\n"                               \
    "      print a completion script for the shell\n"
    static const struct {
        int (*what)(void);
        int status;
        const char *says;
    } rows[] = {
        {help, 0, USAGE},
        {nothing, 2, USAGE},
        {version, 0, "nfpki-x " NFPKI_VERSION "\n"},
        {complete, 0, "complete -o default -W 'register help' nfpki-x\n"},
        {other_shell, 2, "nfpki-x: no such command: completion (see `nfpki-x help`)\n"},
        {unknown, 2, "nfpki-x: no such command: registre (see `nfpki-x help`)\n"},
        {misused, 2, "usage: nfpki-x register FILE\n"},
        {misused_unknown, 2, ""},
    };
    int status = -1;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        assert_string_equal(during(rows[i].what, &status), rows[i].says);
        assert_int_equal(status, rows[i].status);
    }
    assert_non_null(strstr(during(usage_of_options, &status),
                           "usage: nfpki-y [--socket PATH] command [argument ...]\n"));
#undef USAGE
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_known_command_runs_and_its_status_is_the_result),
        cmocka_unit_test(an_unknown_or_missing_command_is_misuse),
        cmocka_unit_test(what_is_said_names_the_program_and_its_commands),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
