/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/pkcs11/signer/journal/attempts.h"

#include "tests/support/journal_open.h"
#include "tests/support/test.h"
#include "tests/support/tmpdir.h"

const uint8_t KEY[32] = {1};
const uint8_t HASH[32] = {0xab};

int
attempts_set_up(void **state)
{
    *state = tmpdir_new();
    return 0;
}

int
attempts_tear_down(void **state)
{
    tmpdir_remove(*state);
    return 0;
}

char *
attempts_two(const char *dir)
{
    struct err e = {0};
    char *path = mem_printf("%s/journal", dir);
    const struct tree_head c = {.size = 7, .root = {9}};
    size_t torn = 1;
    CLEANUP(journal_cleanup) struct journal *j = journal_open(path, KEY, &torn, &e);

    assert_non_null(j);
    assert_int_equal(torn, 0);
    assert_ok(journal_add(j, 'T', HASH, NULL, &e), &e);
    assert_ok(journal_add(j, 'K', HASH, &c, &e), &e);
    assert_ok(journal_commit(j, &e), &e);
    return path;
}
