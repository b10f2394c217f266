/* SPDX-License-Identifier: Apache-2.0 */
#include "db/issuance/sealed.h"

#include "db/ledger/ledger.h"

static int
take(struct span body, enum issuance_sealed *sealed, struct err *e)
{
    CLEANUP(leaf_cleanup) struct leaf *leaf = leaf_parse(body, e);

    if (leaf == NULL) {
        return -1;
    }
    if (leaf_int(leaf, "pages", 0) > 0) {
        *sealed = ISSUANCE_PAGES_SEALED;
    } else if (*sealed == ISSUANCE_NEVER_SEALED) {
        *sealed = ISSUANCE_ROWS_SEALED;
    }
    return 0;
}

int
issuance_sealed(struct store_db *db, enum issuance_sealed *sealed, struct err *e)
{
    CLEANUP(store_end) struct store_rows rows = {0};
    bool row = true;

    *sealed = ISSUANCE_NEVER_SEALED;
    if (store_query(db, &rows, "SELECT unpacked(body) FROM leaf WHERE kind = 'SEALED' ORDER BY idx",
                    STORE_NO_VALUES, e) != 0) {
        return -1;
    }
    while (store_next(&rows, &row, e) == 0) {
        if (!row) {
            return 0;
        }
        if (take(row_blob(&rows, 0), sealed, e) != 0) {
            return -1;
        }
    }
    return -1;
}

int
issuance_sealed_say(struct store_db *db, time_t now, struct err *e)
{
    CLEANUP(leaf_cleanup) struct leaf *leaf = leaf_new(LEAF_SEALED, now);
    enum issuance_sealed sealed;

    if (issuance_sealed(db, &sealed, e) != 0) {
        return -1;
    }
    if (sealed == ISSUANCE_PAGES_SEALED) {
        return 0;
    }
    leaf_set_int(leaf, "pages", (int64_t)store_pages(db));
    return ledger_append(db, leaf, NULL, e);
}
