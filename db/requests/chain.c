/* SPDX-License-Identifier: Apache-2.0 */
/* The whole queue, compared with its heads: are they what they were? */
#include <inttypes.h>
#include <string.h>

#include "base/ossl.h"
#include "db/requests/heads.h"

struct chain {
    uint64_t next; /* behind the last head */
    uint8_t last[SHA256_SIZE];
};

/* What is over is forgotten before an older entry that still waits: a gap is no break. */
static int
check_head(const struct requests_head *head, struct chain *chain, struct err *e)
{
    struct queue_head h;
    struct merkle_hash root;

    if (queue_head_parse(buf_span(&head->text), &h, e) != 0 ||
        queue_head_root(buf_span(&head->leaves), &root, e) != 0) {
        return -1;
    }
    if (h.first != head->first || h.size != head->leaves.n / MERKLE_HASH ||
        !merkle_equal(&h.root, &root)) {
        return err_set(e, ERR_STORE, "the leaves are not those of the text");
    }
    if (head->first < chain->next ||
        (head->first == chain->next && memcmp(h.previous, chain->last, sizeof(h.previous)) != 0)) {
        return err_set(e, ERR_STORE, "the chain breaks");
    }
    chain->next = h.first + h.size;
    return sha256(buf_span(&head->text), chain->last, e);
}

/* The rid is the last field of an entry: OCTET STRING (SIZE (32)). */
static int
check_entry(const struct store_rows *rows, const struct requests_head *head, struct err *e)
{
    const uint64_t sequence = (uint64_t)row_int(rows, 0);
    const struct span rid = row_blob(rows, 1);
    const struct span entry = row_blob(rows, 3);
    const struct merkle_hash leaf = merkle_leaf(entry);
    uint8_t hash[SHA256_SIZE];

    if (memcmp(leaf.octets, head->leaves.p + (sequence - head->first) * MERKLE_HASH, MERKLE_HASH) !=
        0) {
        return err_set(e, ERR_STORE, "queue entry %" PRIu64 " is not the leaf of its head",
                       sequence);
    }
    if (sha256(row_blob(rows, 2), hash, e) != 0) {
        return -1;
    }
    return span_equal(rid, span_of(hash, sizeof(hash))) && entry.n > rid.n &&
                   span_equal(rid, span_of(entry.p + (entry.n - rid.n), rid.n))
               ? 0
               : err_set(e, ERR_STORE, "queue entry %" PRIu64 " is about another message",
                         sequence);
}

static int
check_entries(struct store_db *db, const struct requests_head *head, struct err *e)
{
    CLEANUP(store_end) struct store_rows rows = {0};
    const uint64_t end = head->first + head->leaves.n / MERKLE_HASH;
    bool row = false;

    if (store_query(db, &rows,
                    "SELECT sequence, rid, message, entry FROM queue WHERE sequence >= ? AND "
                    "sequence < ? AND entry IS NOT NULL",
                    STORE_VALUES(store_int((int64_t)head->first), store_int((int64_t)end)),
                    e) != 0 ||
        store_next(&rows, &row, e) != 0) {
        return -1;
    }
    while (row) {
        if (check_entry(&rows, head, e) != 0 || store_next(&rows, &row, e) != 0) {
            return -1;
        }
    }
    return 0;
}

/* Each entry is under a head. */
static int
check_all_covered(struct store_db *db, struct err *e)
{
    CLEANUP(store_end) struct store_rows rows = {0};
    bool row = false;

    if (store_query(db, &rows,
                    "SELECT sequence FROM queue WHERE entry IS NOT NULL AND sequence >= coalesce("
                    "(SELECT first + length(leaves) / 32 FROM head WHERE first <= queue.sequence "
                    "ORDER BY first DESC LIMIT 1), 0) LIMIT 1",
                    STORE_NO_VALUES, e) != 0 ||
        store_next(&rows, &row, e) != 0) {
        return -1;
    }
    return row ? err_set(e, ERR_STORE, "queue entry %lld is under no head",
                         (long long)row_int(&rows, 0))
               : 0;
}

int
requests_verify_chain(struct store_db *db, struct err *e)
{
    CLEANUP(store_end) struct store_rows rows = {0};
    CLEANUP(requests_head_clear) struct requests_head head = {0};
    struct chain chain = {0};
    bool row = false;

    if (store_query(db, &rows, "SELECT " REQUESTS_HEAD_COLUMNS " FROM head ORDER BY first",
                    STORE_NO_VALUES, e) != 0 ||
        store_next(&rows, &row, e) != 0) {
        return -1;
    }
    while (row) {
        if (requests_head_read(&rows, &head, e) != 0) {
            return -1;
        }
        if (check_head(&head, &chain, e) != 0) {
            e->code = ERR_STORE;
            return err_wrap(e, "the queue's head at entry %" PRIu64, head.first);
        }
        if (check_entries(db, &head, e) != 0 || store_next(&rows, &row, e) != 0) {
            return -1;
        }
    }
    return check_all_covered(db, e);
}
