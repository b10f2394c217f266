/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Entries that are committed together are the leaves of one head (base/tlog/queue_head.h), which is
 * committed with them: after a crash it is this text that is signed, and no other.
 */
#include "db/requests/heads.h"

#include <inttypes.h>
#include <string.h>

#include "base/ossl.h"
#include "db/requests/rows.h"

void
requests_head_clear(struct requests_head *head)
{
    buf_free(&head->text);
    buf_free(&head->leaves);
    memset(head, 0, sizeof(*head));
}

int
requests_head_read(const struct store_rows *rows, struct requests_head *out, struct err *e)
{
    requests_head_clear(out);
    out->first = (uint64_t)row_int(rows, 0);
    if (row_copy_blob(rows, 1, QUEUE_HEAD_TEXT_MAX, &out->text, e) != 0 ||
        row_copy_blob(rows, 2, REQUESTS_LEAVES_MAX, &out->leaves, e) != 0 ||
        row_copy_octets(rows, 3, out->stamp, sizeof(out->stamp), e) != 0) {
        return err_wrap(e, "the queue's head at entry %" PRIu64, out->first);
    }
    return 0;
}

static int
head_find(struct store_db *db, const char *sql, uint64_t sequence, struct requests_head *out,
          bool *found, struct err *e)
{
    CLEANUP(store_end) struct store_rows rows = {0};

    if (store_query(db, &rows, sql, STORE_VALUES(store_int((int64_t)sequence)), e) != 0 ||
        store_next(&rows, found, e) != 0) {
        return -1;
    }
    return *found ? requests_head_read(&rows, out, e) : 0;
}

int
requests_head_of(struct store_db *db, uint64_t sequence, struct requests_head *out, struct err *e)
{
    bool found = false;

    if (head_find(db,
                  "SELECT " REQUESTS_HEAD_COLUMNS
                  " FROM head WHERE first <= ? ORDER BY first DESC LIMIT 1",
                  sequence, out, &found, e) != 0) {
        return -1;
    }
    return found && sequence - out->first < out->leaves.n / MERKLE_HASH
               ? 0
               : err_set(e, ERR_STORE, "queue entry %" PRIu64 " is under no head", sequence);
}

/* ---- a new one ---- */

/* Where the queue ends, which its own row says: what is missing before is missed. */
struct queue_end {
    uint64_t next; /* behind the last entry */
    int64_t head;  /* the last head; 0: there was none */
};

static int
queue_end(struct store_db *db, struct queue_end *end, struct err *e)
{
    CLEANUP(store_end) struct store_rows rows = {0};

    if (store_query_one(db, &rows, "SELECT next, head FROM queue_end", STORE_NO_VALUES, e) != 0) {
        return -1;
    }
    end->next = (uint64_t)row_int(&rows, 0);
    end->head = row_int(&rows, 1);
    return 0;
}

/* The last one, and the sequence behind it: 1 without any. */
static int
last_head(struct store_db *db, const struct queue_end *end, struct requests_head *out,
          uint64_t *from, struct err *e)
{
    bool found = false;

    if (end->head != 0 &&
        head_find(db, "SELECT " REQUESTS_HEAD_COLUMNS " FROM head WHERE first = ?",
                  (uint64_t)end->head, out, &found, e) != 0) {
        return -1;
    }
    *from = found ? out->first + out->leaves.n / MERKLE_HASH : 1;
    return found || end->head == 0
               ? 0
               : err_set(e, ERR_STORE, "the queue's last head, at entry %" PRId64 ", is missing",
                         end->head);
}

static int
missing(uint64_t before, struct err *e)
{
    return err_set(e, ERR_STORE, "an entry of the queue before %" PRIu64 " is missing", before);
}

/* The entries that are under no head: they were added since the last one, each behind the other. */
static int
new_leaves(struct store_db *db, uint64_t from, struct requests_head *head, struct err *e)
{
    CLEANUP(store_end) struct store_rows rows = {0};
    uint64_t next = from;
    bool row = false;

    head->leaves = BUF_INIT(REQUESTS_LEAVES_MAX);
    if (store_query(db, &rows,
                    "SELECT sequence, entry FROM queue WHERE sequence >= ? AND entry IS NOT NULL "
                    "ORDER BY sequence",
                    STORE_VALUES(store_int((int64_t)from)), e) != 0 ||
        store_next(&rows, &row, e) != 0) {
        return -1;
    }
    while (row) {
        const struct merkle_hash leaf = merkle_leaf(row_blob(&rows, 1));

        if ((uint64_t)row_int(&rows, 0) != next++) {
            return missing((uint64_t)row_int(&rows, 0), e);
        }
        if (buf_append(&head->leaves, span_of(leaf.octets, sizeof(leaf.octets)), e) != 0 ||
            store_next(&rows, &row, e) != 0) {
            return -1;
        }
    }
    return 0;
}

static int
head_text(const struct requests_author *author, const struct requests_head *before,
          struct requests_head *head, struct err *e)
{
    struct queue_head h = {
        .first = head->first, .size = head->leaves.n / MERKLE_HASH, .time = (time_t)author->now};

    memcpy(h.ra, author->ra, sizeof(h.ra));
    memcpy(h.ca, author->ca, sizeof(h.ca));
    head->text = BUF_INIT(QUEUE_HEAD_TEXT_MAX);
    if (before->text.n > 0 && sha256(buf_span(&before->text), h.previous, e) != 0) {
        return -1;
    }
    return queue_head_root(buf_span(&head->leaves), &h.root, e) != 0 ||
                   queue_head_format(&h, &head->text, e) != 0
               ? -1
               : author->stamp(author->arg, buf_span(&head->text), head->stamp, e);
}

static int
remove_head(struct store_db *db, int64_t first, struct err *e)
{
    return store_exec(db, "DELETE FROM head WHERE first = ?", STORE_VALUES(store_int(first)), e);
}

/* All of it was withdrawn, or took another place, while it was the last. */
static int
leave_empty(struct store_db *db, const struct requests_head *head, uint64_t end, struct err *e)
{
    bool used = true;

    if (head->first != 0 &&
        store_has_row(db, "SELECT 1 FROM queue WHERE sequence >= ? AND sequence < ?",
                      STORE_VALUES(store_int((int64_t)head->first), store_int((int64_t)end)), &used,
                      e) != 0) {
        return -1;
    }
    return used ? 0 : remove_head(db, (int64_t)head->first, e);
}

/* The new one is the last from now on. */
static int
move_end(struct store_db *db, const struct requests_head *head, struct err *e)
{
    const uint64_t next = head->first + head->leaves.n / MERKLE_HASH;

    return store_exec(db, "UPDATE queue_end SET next = ?, head = ? WHERE one = 1",
                      STORE_VALUES(store_int((int64_t)next), store_int((int64_t)head->first)), e);
}

int
requests_leave_head(struct store_db *db, int64_t sequence, struct err *e)
{
    CLEANUP(store_end) struct store_rows rows = {0};
    bool gone;

    if (store_query(db, &rows,
                    "SELECT first FROM head WHERE first = (SELECT max(first) FROM head WHERE first "
                    "<= ?1) AND first IS NOT (SELECT head FROM queue_end) AND NOT EXISTS (SELECT 1 "
                    "FROM queue WHERE sequence >= head.first AND sequence < head.first + "
                    "length(head.leaves) / 32)",
                    STORE_VALUES(store_int(sequence)), e) != 0 ||
        store_next(&rows, &gone, e) != 0) {
        return -1;
    }
    return gone ? remove_head(db, row_int(&rows, 0), e) : 0;
}

int
requests_put_head(struct store_db *db, const struct requests_author *author,
                  struct requests_head *head, struct err *e)
{
    CLEANUP(requests_head_clear) struct requests_head before = {0};
    struct queue_end end;
    uint64_t from;

    requests_head_clear(head);
    if (queue_end(db, &end, e) != 0 || new_leaves(db, end.next, head, e) != 0) {
        return -1;
    }
    if (head->leaves.n == 0) {
        return 0;
    }
    head->first = end.next;
    if (last_head(db, &end, &before, &from, e) != 0) {
        return -1;
    }
    if (end.head != 0 && from != end.next) {
        return missing(end.next, e);
    }
    return head_text(author, &before, head, e) != 0 || leave_empty(db, &before, from, e) != 0 ||
                   move_end(db, head, e) != 0
               ? -1
               : store_exec(db, "INSERT INTO head (" REQUESTS_HEAD_COLUMNS ") VALUES (?, ?, ?, ?)",
                            STORE_VALUES(store_int((int64_t)head->first),
                                         store_blob(buf_span(&head->text)),
                                         store_blob(buf_span(&head->leaves)),
                                         store_blob(span_of(head->stamp, sizeof(head->stamp)))),
                            e);
}

/* ---- another key for their stamps ---- */

static int
restamp(struct store_db *db, struct requests_head *head, requests_convert_stamp *convert, void *arg,
        struct err *e)
{
    bool changed = false;

    if (convert(arg, buf_span(&head->text), head->stamp, &changed, e) != 0) {
        return -1;
    }
    return !changed ? 0
                    : store_exec(db, "UPDATE head SET stamp = ? WHERE first = ?",
                                 STORE_VALUES(store_blob(span_of(head->stamp, sizeof(head->stamp))),
                                              store_int((int64_t)head->first)),
                                 e);
}

int
requests_restamp(struct store_db *db, requests_convert_stamp *convert, void *arg, struct err *e)
{
    CLEANUP(requests_head_clear) struct requests_head head = {0};
    uint64_t first = 0;
    bool found = true;

    while (found) {
        if (head_find(db,
                      "SELECT " REQUESTS_HEAD_COLUMNS
                      " FROM head WHERE first > ? ORDER BY first LIMIT 1",
                      first, &head, &found, e) != 0 ||
            (found && restamp(db, &head, convert, arg, e) != 0)) {
            return -1;
        }
        first = head.first;
    }
    return 0;
}
