/* SPDX-License-Identifier: Apache-2.0 */
#include "db/issuance/listed.h"

#include "base/ossl.h"
#include "db/ledger/leaf.h"

/* The announcement that was signed: of several for one number, as after a kill, the last. */
static int
find_intent(struct store_db *db, uint64_t number, int64_t *up_to, time_t *ended, bool *found,
            struct err *e)
{
    CLEANUP(store_end) struct store_rows rows = {0};
    CLEANUP(leaf_cleanup) struct leaf *leaf = NULL;
    const char *text;

    if (store_query(
            db, &rows,
            "SELECT unpacked(l.body) FROM leaf_subject o JOIN leaf l ON l.idx = o.idx WHERE "
            "o.subject = ?1 AND l.kind = 'CRL-INTENT' ORDER BY o.idx DESC LIMIT 1",
            STORE_VALUES(store_int((int64_t)number)), e) != 0 ||
        store_next(&rows, found, e) != 0) {
        return -1;
    }
    if (!*found) {
        return 0;
    }
    leaf = leaf_parse(row_blob(&rows, 0), e);
    if (leaf == NULL) {
        return -1;
    }
    *up_to = leaf_int(leaf, "upTo", 0);
    text = leaf_text(leaf, "expiredBefore");
    return text == NULL ? 0 : time_parse(text, ended, e);
}

int
issuance_listed_each(struct store_db *db, uint64_t number,
                     void (*visit)(void *arg, struct span serial, time_t date, int reason),
                     void *arg, bool *announced, struct err *e)
{
    CLEANUP(store_end) struct store_rows rows = {0};
    int64_t up_to = 0;
    time_t ended = 0;
    bool row = true;

    if (find_intent(db, number, &up_to, &ended, announced, e) != 0) {
        return -1;
    }
    if (!*announced) {
        return 0;
    }
    if (store_query(db, &rows,
                    "SELECT v.serial, coalesce(v.crl_date, v.revoked), v.reason FROM revocation v "
                    "JOIN leaf_subject o ON o.subject = v.serial JOIN leaf l ON l.idx = o.idx AND "
                    "l.kind = 'REVOKED' WHERE o.idx < ?1 AND v.not_after >= ?2 "
                    "ORDER BY length(v.serial), v.serial",
                    STORE_VALUES(store_int(up_to), store_int(ended)), e) != 0) {
        return -1;
    }
    while (store_next(&rows, &row, e) == 0) {
        if (!row) {
            return 0;
        }
        visit(arg, row_blob(&rows, 0), (time_t)row_int(&rows, 1), (int)row_int(&rows, 2));
    }
    return -1;
}
