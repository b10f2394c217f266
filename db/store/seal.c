/* SPDX-License-Identifier: Apache-2.0 */
#include "db/store/connection.h"

enum store_seal
store_seal_state(const struct store_db *db)
{
    return !pages_has_key(db->pages)    ? STORE_NO_KEY
           : pages_is_sealed(db->pages) ? STORE_SEALED
                                        : STORE_NOT_SEALED;
}

const char *
store_seal_name(enum store_seal state)
{
    static const char *const names[] = {
        [STORE_NO_KEY] = "no key", [STORE_NOT_SEALED] = "not sealed", [STORE_SEALED] = "sealed"};

    return names[state];
}

bool
store_is_new(const struct store_db *db)
{
    return db->is_new;
}

uint64_t
store_pages(const struct store_db *db)
{
    return pages_count(db->pages);
}

int
store_scrub(struct store_db *db, uint64_t *page, uint64_t max, uint64_t *seen, bool *end,
            struct err *e)
{
    if (pages_scrub(db->pages, page, max, seen, end, e) == 0) {
        return 0;
    }
    db->broken = true;
    return err_wrap(e, "%s", db->path);
}
