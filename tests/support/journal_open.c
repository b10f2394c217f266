/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/journal_open.h"

struct journal *
journal_open(const char *path, const uint8_t key_hash[32], size_t *torn, struct err *e)
{
    CLEANUP(journal_cleanup) struct journal *j = journal_claim(path, e);
    struct err not_believed;

    return j == NULL || journal_load(j, key_hash, NULL, torn, &not_believed, e) != 0 ? NULL
                                                                                     : TAKE(j);
}
