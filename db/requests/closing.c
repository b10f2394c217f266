/* SPDX-License-Identifier: Apache-2.0 */
/* The end of a registration: cancelled here, and the CA is told until it has closed it, too. */
#include "db/requests/rows.h"

enum { NOT_AUTHORIZED = 23 }; /* PKIFailureInfo, RFC 9810 5.2.3 */

#define OF_CANCELLED                                                                               \
    "(SELECT registration = ?1 AND state = 5 AND accepted IS NULL FROM enrolment x WHERE x.id = "  \
    "queue.enrolment)"

/* One after the other: what is read is not changed meanwhile. */
static int
find_entry(struct store_db *db, const char *id, int64_t *sequence, bool *found, struct err *e)
{
    CLEANUP(store_end) struct store_rows rows = {0};

    if (store_query(db, &rows, "SELECT sequence FROM queue WHERE " OF_CANCELLED " LIMIT 1",
                    STORE_VALUES(store_text(id)), e) != 0 ||
        store_next(&rows, found, e) != 0) {
        return -1;
    }
    *sequence = *found ? row_int(&rows, 0) : 0;
    return 0;
}

/* Each with its head, when it is the last under it. */
static int
remove_entries(struct store_db *db, const char *id, struct err *e)
{
    int64_t sequence;
    bool found;

    while (find_entry(db, id, &sequence, &found, e) == 0) {
        if (!found) {
            return 0;
        }
        if (store_exec(db, "DELETE FROM queue WHERE sequence = ?1",
                       STORE_VALUES(store_int(sequence)), e) != 0 ||
            requests_leave_head(db, sequence, e) != 0) {
            return -1;
        }
    }
    return -1;
}

int
requests_cancel(struct store_db *db, const char *id, struct span cms, const char *phrase,
                struct err *e)
{
    if (store_exec(db,
                   "UPDATE registration SET cancelled = 1, sealed = NULL, cancellation = ?2 "
                   "WHERE id = ?1",
                   STORE_VALUES(store_text(id), store_blob(cms)), e) != 0) {
        return -1;
    }
    if (store_changes(db) != 1) {
        return err_set(e, ERR_NOTFOUND, "no registration %s", id);
    }
    /* What waits for the CA comes to nothing; an answer that is on its way changes that no more. */
    if (store_exec(
            db,
            "UPDATE enrolment SET state = 5, fail_info = ?2, phrase = ?3 WHERE id IN (SELECT "
            "enrolment FROM queue) AND registration = ?1 AND state = 0",
            STORE_VALUES(store_text(id), store_int(NOT_AUTHORIZED), store_text(phrase)), e) != 0) {
        return -1;
    }
    return remove_entries(db, id, e);
}

int
requests_closed(struct store_db *db, const char *id, struct err *e)
{
    return store_exec(db, "UPDATE registration SET closed = 1 WHERE id = ? AND cancelled = 1",
                      STORE_VALUES(store_text(id)), e);
}

int
requests_not_closed(struct store_db *db, const char *id, struct err *e)
{
    return store_exec(db, "UPDATE registration SET cancellation = NULL WHERE id = ?",
                      STORE_VALUES(store_text(id)), e);
}

int
requests_count_closing(struct store_db *db, int *closing, struct err *e)
{
    CLEANUP(store_end) struct store_rows rows = {0};

    if (store_query_one(db, &rows,
                        "SELECT count(*) FROM registration WHERE cancelled = 1 AND closed = 0 AND "
                        "cancellation NOT NULL",
                        STORE_NO_VALUES, e) != 0) {
        return -1;
    }
    *closing = (int)row_int(&rows, 0);
    return 0;
}

int
requests_closing_each(struct store_db *db, int limit,
                      void (*visit)(void *arg, const char *id, struct span cms), void *arg,
                      struct err *e)
{
    CLEANUP(store_end) struct store_rows rows = {0};
    bool row = false;

    if (store_query(db, &rows,
                    "SELECT id, cancellation FROM registration WHERE cancelled = 1 AND "
                    "closed = 0 AND cancellation NOT NULL ORDER BY id LIMIT ?",
                    STORE_VALUES(store_int(limit)), e) != 0 ||
        store_next(&rows, &row, e) != 0) {
        return -1;
    }
    while (row) {
        char id[REQUESTS_ID_SIZE];

        row_copy_text(&rows, 0, id, sizeof(id));
        visit(arg, id, row_blob(&rows, 1));
        if (store_next(&rows, &row, e) != 0) {
            return -1;
        }
    }
    return 0;
}
