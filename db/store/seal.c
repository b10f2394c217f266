/* SPDX-License-Identifier: Apache-2.0 */
#include "db/store/connection.h"

enum store_seal
store_seal_state(const struct store_db *db)
{
    (void)db;
    return STORE_NO_KEY;
}

const char *
store_seal_name(enum store_seal state)
{
    static const char *const names[] = {
        [STORE_NO_KEY] = "no key", [STORE_NOT_SEALED] = "not sealed", [STORE_SEALED] = "sealed"};

    return names[state];
}

uint64_t
store_pages(const struct store_db *db)
{
    (void)db;
    return 0;
}

int
store_scrub(struct store_db *db, uint64_t *page, uint64_t max, uint64_t *seen, bool *end,
            struct err *e)
{
    (void)db;
    (void)max;
    (void)e;
    *page = 0;
    *seen = 0;
    *end = true;
    return 0;
}

int
store_seal(struct store *store, struct err *e)
{
    (void)store;
    return err_set(e, ERR_DENIED, "there is no key");
}
