/* SPDX-License-Identifier: Apache-2.0 */
#include "base/cmd.h"

#include <string.h>

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

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_known_command_runs_and_its_status_is_the_result),
        cmocka_unit_test(an_unknown_or_missing_command_is_misuse),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
