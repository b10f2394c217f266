/* SPDX-License-Identifier: Apache-2.0 */
/* What is over: certConfs that do not come, transactions and certificates that nobody asks for. */
#include "db/requests/requests.h"

int
requests_expire(struct store_db *db, int64_t now, int *overdue, struct err *e)
{
    if (store_exec(db,
                   "UPDATE enrolment SET state = 6, confirm_by = NULL "
                   "WHERE state = 2 AND confirm_by < ?",
                   STORE_VALUES(store_int(now)), e) != 0) {
        return -1;
    }
    *overdue = (int)store_changes(db);
    /* No sequence comes twice: the last head stays, or what there is without one. */
    if (store_exec(
            db,
            "DELETE FROM queue WHERE answered = 1 AND enrolment IN "
            "(SELECT id FROM enrolment WHERE until < ? AND state NOT IN (0, 3)) "
            "AND (sequence < (SELECT max(sequence) FROM queue) OR EXISTS (SELECT 1 FROM head))",
            STORE_VALUES(store_int(now)), e) != 0 ||
        store_exec(db,
                   "DELETE FROM head WHERE first < (SELECT coalesce(min(sequence), 0) FROM queue) "
                   "AND first + length(leaves) / 32 <= (SELECT coalesce(min(sequence), 0) FROM "
                   "queue) AND first < (SELECT max(first) FROM head)",
                   STORE_NO_VALUES, e) != 0 ||
        store_exec(db,
                   "DELETE FROM enrolment WHERE until < ? AND state NOT IN (0, 3) AND NOT EXISTS "
                   "(SELECT 1 FROM queue WHERE queue.enrolment = enrolment.id)",
                   STORE_VALUES(store_int(now)), e) != 0) {
        return -1;
    }
    return requests_certificates_expire(db, now, e) != 0
               ? -1
               : store_exec(db, "DELETE FROM seen WHERE until < ?", STORE_VALUES(store_int(now)),
                            e);
}
