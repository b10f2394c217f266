/* SPDX-License-Identifier: Apache-2.0 */
#include "db/store/batch.h"

#include "db/store/connection.h"

int
store_part(struct store_db *db, int (*run)(void *arg, struct store_db *, struct err *), void *arg,
           struct err *e)
{
    struct err undo = {0};
    int result;

    if (store_exec(db, "SAVEPOINT part", STORE_NO_VALUES, e) != 0) {
        return -1;
    }
    result = run(arg, db, e);
    /* SQLite ends the whole transaction by itself on some errors: there is nothing to undo. */
    if (db->broken || sqlite3_get_autocommit(db->sqlite) != 0) {
        return -1;
    }
    if (result != 0 && store_exec(db, "ROLLBACK TO part", STORE_NO_VALUES, &undo) != 0) {
        *e = undo;
        return -1;
    }
    if (store_exec(db, "RELEASE part", STORE_NO_VALUES, &undo) != 0) {
        *e = undo;
        return -1;
    }
    return result;
}
