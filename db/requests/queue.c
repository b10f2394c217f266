/* SPDX-License-Identifier: Apache-2.0 */
/* What the CA is asked, in order. */
#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "db/requests/rows.h"

void
requests_entry_clear(struct requests_entry *entry)
{
    buf_free(&entry->message);
    buf_free(&entry->entry);
    memset(entry, 0, sizeof(*entry));
}

/* The end of the queue: behind what has a head, which queue_end says, and what was added since. */
#define NEXT_PLACE                                                                                 \
    "(SELECT max(next, coalesce((SELECT max(sequence) + 1 FROM queue), 1)) FROM queue_end WHERE "  \
    "one = 1)"

int
requests_enqueue(struct store_db *db, int64_t enrolment, const struct requests_item *item,
                 uint64_t *sequence, struct err *e)
{
    assert(item->rid.n == REQUESTS_RID_SIZE);
    if (store_exec(db,
                   "INSERT INTO queue (sequence, rid, enrolment, message, entry) "
                   "VALUES (" NEXT_PLACE ", ?, ?, ?, ?)",
                   STORE_VALUES(store_blob(item->rid), store_int(enrolment),
                                store_blob(item->message), store_blob(item->entry)),
                   e) != 0) {
        return -1;
    }
    *sequence = (uint64_t)store_last_id(db);
    return 0;
}

/* 0: no answer is missing. */
static int
place_of(struct store_db *db, struct span rid, int64_t *sequence, struct err *e)
{
    CLEANUP(store_end) struct store_rows rows = {0};
    bool row;

    if (store_query(db, &rows, "SELECT sequence FROM queue WHERE rid = ?",
                    STORE_VALUES(store_blob(rid)), e) != 0 ||
        store_next(&rows, &row, e) != 0) {
        return -1;
    }
    *sequence = row ? row_int(&rows, 0) : 0;
    return 0;
}

int
requests_take_place(struct store_db *db, const struct requests_item *item, bool *taken,
                    struct err *e)
{
    int64_t before;

    if (place_of(db, item->rid, &before, e) != 0) {
        return -1;
    }
    *taken = before != 0;
    if (!*taken) {
        return 0;
    }
    return store_exec(
               db,
               "UPDATE queue SET sequence = " NEXT_PLACE
               ", message = ?, entry = ?, untimely = 0 WHERE sequence = ?",
               STORE_VALUES(store_blob(item->message), store_blob(item->entry), store_int(before)),
               e) != 0
               ? -1
               : requests_leave_head(db, before, e);
}

/* All that an admission wrote but the row of its enrolment, which nobody finds any more: its number
 * must not become another's while somebody still has it. It goes with requests_expire(), and soon:
 * who cannot be answered comes again and again. */
static int
undo_admission(struct store_db *db, struct span rid, int64_t until, struct err *e)
{
    int64_t place;

    return place_of(db, rid, &place, e) != 0 ||
                   store_exec(db,
                              "UPDATE registration SET used = used - 1 WHERE used > 0 AND id = "
                              "(SELECT registration FROM enrolment" REQUESTS_OF_RID
                              " AND uncounted = 0)",
                              STORE_VALUES(store_blob(rid)), e) != 0 ||
                   store_exec(db,
                              "DELETE FROM seen WHERE (transaction_id, identity) = "
                              "(SELECT transaction_id, identity FROM enrolment" REQUESTS_OF_RID ")",
                              STORE_VALUES(store_blob(rid)), e) != 0 ||
                   store_exec(db,
                              "UPDATE enrolment SET state = 5, identity = '', transaction_id = "
                              "CAST('withdrawn ' || id AS BLOB), rid = NULL, until = min(until, "
                              "?)" REQUESTS_OF_RID,
                              STORE_VALUES(store_int(until), store_blob(rid)), e) != 0 ||
                   store_exec(db, "DELETE FROM queue WHERE sequence = ?",
                              STORE_VALUES(store_int(place)), e) != 0
               ? -1
               : requests_leave_head(db, place, e);
}

int
requests_withdraw(struct store_db *db, struct span rid, int64_t until, struct err *e)
{
    bool found = false;

    if (store_has_row(db,
                      "SELECT 1 FROM queue q JOIN enrolment x ON x.id = q.enrolment WHERE "
                      "q.rid = ? AND x.state = 0 AND x.nonce IS NULL",
                      STORE_VALUES(store_blob(rid)), &found, e) != 0) {
        return -1;
    }
    return found ? undo_admission(db, rid, until, e) : 0;
}

static int
entry_read(const struct store_rows *rows, struct requests_entry *out, struct err *e)
{
    out->sequence = (uint64_t)row_int(rows, 0);
    out->untimely = row_int(rows, 4) != 0;
    out->enrolment = row_int(rows, 5);
    if (row_copy_octets(rows, 1, out->rid, sizeof(out->rid), e) != 0 ||
        row_copy_blob(rows, 2, SIZE_MAX, &out->message, e) != 0 ||
        row_copy_blob(rows, 3, SIZE_MAX, &out->entry, e) != 0) {
        return err_wrap(e, "queue entry %" PRIu64, out->sequence);
    }
    return 0;
}

int
requests_open_each(struct store_db *db, uint64_t after, int64_t now, int limit,
                   void (*visit)(void *arg, const struct requests_entry *), void *arg,
                   struct err *e)
{
    CLEANUP(store_end) struct store_rows rows = {0};
    CLEANUP(requests_entry_clear) struct requests_entry entry = {0};
    bool row = false;

    if (store_query(db, &rows,
                    "SELECT sequence, rid, message, entry, untimely, enrolment FROM queue "
                    "WHERE sequence > ? AND again_at <= ? AND NOT EXISTS "
                    "(SELECT 1 FROM enrolment x JOIN registration g ON g.id = x.registration "
                    "WHERE x.id = queue.enrolment AND x.state = 0 AND g.cancelled = 1) "
                    "ORDER BY sequence LIMIT ?",
                    STORE_VALUES(store_int((int64_t)after), store_int(now), store_int(limit)),
                    e) != 0 ||
        store_next(&rows, &row, e) != 0) {
        return -1;
    }
    while (row) {
        if (entry_read(&rows, &entry, e) != 0) {
            return -1;
        }
        visit(arg, &entry);
        if (store_next(&rows, &row, e) != 0) {
            return -1;
        }
    }
    return 0;
}

int
requests_rest_until(struct store_db *db, int64_t now, int64_t *until, struct err *e)
{
    CLEANUP(store_end) struct store_rows rows = {0};

    if (store_query_one(db, &rows,
                        "SELECT coalesce(min(again_at), 0) FROM queue WHERE again_at > ?",
                        STORE_VALUES(store_int(now)), e) != 0) {
        return -1;
    }
    *until = row_int(&rows, 0);
    return 0;
}

int
requests_deferred(struct store_db *db, struct span rid, int64_t again_at, bool untimely,
                  struct err *e)
{
    return store_exec(db, "UPDATE queue SET again_at = ?, untimely = ? WHERE rid = ?",
                      STORE_VALUES(store_int(again_at), store_int(untimely), store_blob(rid)), e);
}

int
requests_count_open(struct store_db *db, int *open, struct err *e)
{
    CLEANUP(store_end) struct store_rows rows = {0};

    if (store_query_one(db, &rows, "SELECT count(*) FROM queue", STORE_NO_VALUES, e) != 0) {
        return -1;
    }
    *open = (int)row_int(&rows, 0);
    return 0;
}
