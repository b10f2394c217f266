/* SPDX-License-Identifier: Apache-2.0 */
/* What is over: certConfs that do not come, transactions and certificates that nobody asks for. So
 * few at once that nobody waits for it. */
#include "db/requests/rows.h"

enum {
    STEP = 32, /* of each kind */
    /* After the longest time for which an expired certificate may be renewed. */
    KEEP_EXPIRED_S = 400 * 86400,
};

#define OVERDUE                                                                                    \
    "SELECT id FROM enrolment WHERE state = 2 AND confirm_by < ?1 ORDER BY confirm_by LIMIT 32"
#define ENDED "SELECT fingerprint FROM certificate WHERE not_after < ?1 ORDER BY not_after LIMIT 32"
_Static_assert(STEP == 32, "the number in OVERDUE and ENDED, and below");

static int
expire_confirmations(struct store_db *db, int64_t now, int *overdue, struct err *e)
{
    if (store_exec(db,
                   "UPDATE enrolment SET state = 6, confirm_by = NULL WHERE id IN (" OVERDUE ")",
                   STORE_VALUES(store_int(now)), e) != 0) {
        return -1;
    }
    *overdue = (int)store_changes(db);
    return 0;
}

/* ---- transactions ---- */

/* Its replay entry says that it is there. */
static int
remove_seen(struct store_db *db, struct store_value enrolment, struct err *e)
{
    CLEANUP(store_end) struct store_rows rows = {0};

    return store_query_one(db, &rows,
                           "SELECT identity, transaction_id FROM enrolment WHERE id = ?1",
                           STORE_VALUES(enrolment), e) != 0
               ? -1
               : requests_forget(db, row_text(&rows, 0), row_blob(&rows, 1), e);
}

static int
remove_transaction(struct store_db *db, int64_t enrolment, struct err *e)
{
    const struct store_value id = store_int(enrolment);

    return remove_seen(db, id, e) != 0 || store_exec(db, "DELETE FROM issued WHERE enrolment = ?1",
                                                     STORE_VALUES(id), e) != 0
               ? -1
               : store_exec(db, "DELETE FROM enrolment WHERE id = ?1", STORE_VALUES(id), e);
}

/* The ids first: what is read is not changed meanwhile. */
static int
over(struct store_db *db, int64_t now, int64_t ids[STEP], int *n, struct err *e)
{
    CLEANUP(store_end) struct store_rows rows = {0};
    bool row = true;

    *n = 0;
    if (store_query(db, &rows,
                    "SELECT id FROM enrolment x WHERE until < ?1 AND state NOT IN (0, 3) AND NOT "
                    "EXISTS (SELECT 1 FROM queue WHERE rid IN (x.rid, x.confirmation)) ORDER BY "
                    "until LIMIT 32",
                    STORE_VALUES(store_int(now)), e) != 0) {
        return -1;
    }
    while (store_next(&rows, &row, e) == 0) {
        if (!row) {
            return 0;
        }
        ids[(*n)++] = row_int(&rows, 0);
    }
    return -1;
}

static int
expire_transactions(struct store_db *db, int64_t now, bool *more, struct err *e)
{
    int64_t ids[STEP];
    int n;

    if (over(db, now, ids, &n, e) != 0) {
        return -1;
    }
    for (int i = 0; i < n; i++) {
        if (remove_transaction(db, ids[i], e) != 0) {
            return -1;
        }
    }
    *more = *more || n == STEP;
    return 0;
}

/* ---- certificates and replay entries ---- */

static int
expire_certificates(struct store_db *db, int64_t before, bool *more, struct err *e)
{
    if (store_exec(db, "DELETE FROM certificate WHERE fingerprint IN (" ENDED ")",
                   STORE_VALUES(store_int(before)), e) != 0) {
        return -1;
    }
    *more = *more || store_changes(db) == STEP;
    return 0;
}

/* What began a transaction goes with it. */
#define SEEN                                                                                       \
    "SELECT transaction_id, identity FROM seen WHERE enrolment IS NULL AND until < ?1 ORDER BY "   \
    "until LIMIT 32"

static int
expire_seen(struct store_db *db, int64_t now, bool *more, struct err *e)
{
    if (store_exec(db, "DELETE FROM seen WHERE (transaction_id, identity) IN (" SEEN ")",
                   STORE_VALUES(store_int(now)), e) != 0) {
        return -1;
    }
    *more = *more || store_changes(db) == STEP;
    return 0;
}

int
requests_expire(struct store_db *db, int64_t now, int *overdue, bool *more, struct err *e)
{
    if (expire_confirmations(db, now, overdue, e) != 0) {
        return -1;
    }
    *more = *overdue == STEP;
    return expire_transactions(db, now, more, e) != 0 ||
                   expire_certificates(db, now - KEEP_EXPIRED_S, more, e) != 0
               ? -1
               : expire_seen(db, now, more, e);
}
