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
    if (result != 0 && connection_undo(db, "ROLLBACK TO part", &undo) != 0) {
        *e = undo;
        return -1;
    }
    if (store_exec(db, "RELEASE part", STORE_NO_VALUES, &undo) != 0) {
        *e = undo;
        return -1;
    }
    return result;
}

/* RELEASE of a SAVEPOINT that began the transaction would be a COMMIT: of the pages as they were,
 * but into the WAL. */
static int
undo(struct store_db *db, bool whole, struct err *e)
{
    if (whole) {
        return connection_undo(db, "ROLLBACK", e);
    }
    return connection_undo(db, "ROLLBACK TO trial", e) != 0
               ? -1
               : store_exec(db, "RELEASE trial", STORE_NO_VALUES, e);
}

int
store_try(struct store_db *db, int (*run)(void *arg, struct store_db *, struct err *), void *arg,
          struct err *e)
{
    const bool whole = sqlite3_get_autocommit(db->sqlite) != 0;
    struct err other = {0};
    int result;

    /* A page that has no room in the cache would go into the WAL before any COMMIT; in a sealed
     * file it never does. */
    if (connection_run(db, "PRAGMA cache_spill = OFF", "keep pages", e) != 0 ||
        store_exec(db, whole ? "BEGIN" : "SAVEPOINT trial", STORE_NO_VALUES, e) != 0) {
        return -1;
    }
    result = run(arg, db, e);
    if (db->broken || sqlite3_get_autocommit(db->sqlite) != 0) {
        return -1;
    }
    if (undo(db, whole, &other) != 0 ||
        (!pages_has_key(db->pages) &&
         connection_run(db, "PRAGMA cache_spill = ON", "keep pages", &other) != 0)) {
        *e = other;
        return -1;
    }
    return result;
}
