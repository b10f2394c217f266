/* SPDX-License-Identifier: Apache-2.0 */
#include "ra/daemon/ledger_file.h"

#include "base/mem.h"
#include "tests/support/test.h"

static void
what_a_ledger_has(void **state)
{
    static const char *const names[] = {
        "checkpoint",
        "log.vkey",
        "witness/0123abcd",
        "tile/0/000",
        "tile/0/000.p/1",
        "tile/7/999.p/255",
        "tile/63/001",
        "tile/0/x001/000",
        "tile/0/x001/x234/067",
        "tile/0/x001/x234/067.p/17",
        "tile/0/x018/x446/x744/x073/x709/x551/615",
        "tile/entries/000",
        "tile/messages/x001/000.p/9",
        "tile/entries/x001/x234/067.p/9",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        if (!ledger_file_is_one(names[i])) {
            fail_msg("%s", names[i]);
        }
        assert_int_equal(ledger_file_stays(names[i]), i > 2);
    }
}

static void
and_what_it_has_not(void **state)
{
    static const char *const names[] = {
        "",
        "Checkpoint",
        "checkpoint/",
        "checkpoint.refused-0123",
        ".new",
        "log.vke",
        "../ca.db",
        "witness",
        "witness/",
        "witness/0123abc",
        "witness/0123abcde",
        "witness/0123ABCD",
        "witness/../../a",
        "tile",
        "tile/",
        "tile/0",
        "tile/0/",
        "tile//000",
        "tile/00/000",
        "tile/100/000",
        "tile/-1/000",
        "tile/x/000",
        "tile/entries",
        "tile/entries/",
        "tile/messages/",
        "tile/message/000",
        "tile/entrie/000",
        "tile/0/0",
        "tile/0/00",
        "tile/0/0000",
        "tile/0/000/",
        "tile/0/000.p",
        "tile/0/000.p/",
        "tile/0/000.p/0",
        "tile/0/000.p/256",
        "tile/0/000.p/01",
        "tile/0/000.p/1000",
        "tile/0/000.p/1/",
        "tile/0/000.p/..",
        "tile/0/x000/001",
        "tile/0/x001",
        "tile/0/x001/",
        "tile/0/001/002",
        "tile/0/x01/002",
        "tile/0/x001/../002",
        "tile/0/x001//002",
        "tile/0/x001/x018/x446/x744/x073/x709/x551/615",
        "tile/0/..",
        "tile/0/000 ",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        if (ledger_file_is_one(names[i])) {
            fail_msg("%s", names[i]);
        }
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_a_ledger_has),
        cmocka_unit_test(and_what_it_has_not),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
