/* SPDX-License-Identifier: Apache-2.0 */
/* What is no plan of a restore. How one is shown is in tests/unit/ca/cactl/sign.c. */
#include "ca/registration/restore_plan.h"

#include <string.h>

#include "tests/support/test.h"

#define ROOT "abababababababababababababababababababababababababababababababab"
#define PLAN(version, kind)                                                                        \
    "{\"version\":" version ",\"kind\":\"" kind "\",\"time\":\"2026-11-29T20:00:00Z\","            \
    "\"database\":{\"leaves\":1,\"root\":\"" ROOT "\"},\"log\":{\"origin\":\"o\",\"leaves\":2,"    \
    "\"root\":\"" ROOT "\"},\"crl\":{\"number\":0,\"sha256\":\"" ROOT "\"},\"read back\":{"        \
    "\"registrations\":0,\"certificates\":0,\"revocations\":0,\"crls\":0},\"given up\":0,"         \
    "\"refused\":0,\"void\":0,\"from the "                                                         \
    "CRL\":0,\"adopted\":{\"certificates\":0,\"sha256\":\"" ROOT "\"},\"on trust\":\"\"}"

static void
what_is_no_plan_is_refused(void **state)
{
    static const struct {
        const char *text;
        const char *says; /* NULL: it is one */
    } rows[] = {
        {PLAN("1", "restore"), NULL},
        {"", "plan of a restore: not JSON: line 1"},
        {"plan", "plan of a restore: not JSON: line 1"},
        {"[]", "plan of a restore: "},
        {PLAN("2", "restore"), "version and kind are not 1 and restore"},
        {PLAN("1", "approval"), "version and kind are not 1 and restore"},
        {PLAN("\"1\"", "restore"), "plan of a restore: "},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct err e = {0};
        CLEANUP(mem_cleanup) char *shown = restore_plan_read(span_str(rows[i].text), &e);

        if (rows[i].says == NULL) {
            assert_non_null(shown);
            assert_non_null(strstr(shown, "  on trust     nothing\n"));
            continue;
        }
        assert_null(shown);
        assert_int_equal(e.code, ERR_INPUT);
        assert_non_null(strstr(e.text, rows[i].says));
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_no_plan_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
