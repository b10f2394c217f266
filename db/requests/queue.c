/* SPDX-License-Identifier: Apache-2.0 */
/* The queue is a chain: each entry has the hash of the one before. */
#include <assert.h>
#include <string.h>

#include "base/ossl.h"
#include "db/requests/rows.h"

void
requests_entry_clear(struct requests_entry *entry)
{
    buf_free(&entry->nested);
    memset(entry, 0, sizeof(*entry));
}

static int
entry_hash(const struct requests_entry *entry, struct span nested, uint8_t out[SHA256_SIZE],
           struct err *e)
{
    CLEANUP(evp_md_ctx_cleanup) EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    uint8_t sequence[8];

    for (size_t i = 0; i < sizeof(sequence); i++) {
        sequence[i] = (uint8_t)(entry->sequence >> (8 * (sizeof(sequence) - 1 - i)));
    }
    if (ctx == NULL || EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) != 1 ||
        EVP_DigestUpdate(ctx, entry->previous, sizeof(entry->previous)) != 1 ||
        EVP_DigestUpdate(ctx, sequence, sizeof(sequence)) != 1 ||
        EVP_DigestUpdate(ctx, entry->rid, sizeof(entry->rid)) != 1 ||
        EVP_DigestUpdate(ctx, nested.p, nested.n) != 1 || EVP_DigestFinal_ex(ctx, out, NULL) != 1) {
        return ossl_err(e, ERR_CRYPTO, "hash of a queue entry");
    }
    return 0;
}

/* The last entry's sequence and hash; zero for an empty queue. The last one is never forgotten, so
 * the chain goes on over housekeeping. */
static int
queue_head(struct store_db *db, uint64_t *sequence, uint8_t hash[SHA256_SIZE], struct err *e)
{
    CLEANUP(store_end) struct store_rows rows = {0};
    bool row = false;

    *sequence = 0;
    memset(hash, 0, SHA256_SIZE);
    if (store_query(db, &rows, "SELECT sequence, hash FROM queue ORDER BY sequence DESC LIMIT 1",
                    STORE_NO_VALUES, e) != 0 ||
        store_next(&rows, &row, e) != 0) {
        return -1;
    }
    if (!row) {
        return 0;
    }
    *sequence = (uint64_t)row_int(&rows, 0);
    return row_copy_octets(&rows, 1, hash, SHA256_SIZE, e);
}

int
requests_enqueue(struct store_db *db, int64_t enrolment, struct span rid, struct span nested,
                 struct requests_entry *entry, struct err *e)
{
    uint8_t hash[SHA256_SIZE];

    assert(rid.n == REQUESTS_RID_SIZE);
    if (queue_head(db, &entry->sequence, entry->previous, e) != 0) {
        return -1;
    }
    entry->sequence++;
    memcpy(entry->rid, rid.p, rid.n);
    if (entry_hash(entry, nested, hash, e) != 0) {
        return -1;
    }
    return store_exec(db,
                      "INSERT INTO queue (sequence, rid, enrolment, nested, previous, hash) "
                      "VALUES (?, ?, ?, ?, ?, ?)",
                      STORE_VALUES(store_int((int64_t)entry->sequence), store_blob(rid),
                                   store_int(enrolment), store_blob(nested),
                                   store_blob(span_of(entry->previous, sizeof(entry->previous))),
                                   store_blob(span_of(hash, sizeof(hash)))),
                      e);
}

static int
entry_read(const struct store_rows *rows, struct requests_entry *out, struct err *e)
{
    out->sequence = (uint64_t)row_int(rows, 0);
    if (row_copy_octets(rows, 1, out->rid, sizeof(out->rid), e) != 0 ||
        row_copy_octets(rows, 3, out->previous, sizeof(out->previous), e) != 0) {
        return err_wrap(e, "queue entry %lld", (long long)out->sequence);
    }
    buf_free(&out->nested);
    out->nested = BUF_INIT(SIZE_MAX);
    return buf_set(&out->nested, row_blob(rows, 2), e);
}

int
requests_open_each(struct store_db *db, uint64_t after, int64_t now, int limit,
                   void (*visit)(void *arg, const struct requests_entry *), void *arg,
                   struct err *e)
{
    CLEANUP(store_end) struct store_rows rows = {0};
    CLEANUP(requests_entry_clear) struct requests_entry entry = {0};
    bool row = false;

    if (store_query(
            db, &rows,
            "SELECT sequence, rid, coalesce(rewrapped, nested), previous, untimely FROM queue "
            "WHERE answered = 0 AND sequence > ? AND again_at <= ? AND NOT EXISTS "
            "(SELECT 1 FROM enrolment x JOIN registration g ON g.id = x.registration "
            "WHERE x.id = queue.enrolment AND x.state = 0 AND g.cancelled = 1) "
            "ORDER BY sequence LIMIT ?",
            STORE_VALUES(store_int((int64_t)after), store_int(now), store_int(limit)), e) != 0 ||
        store_next(&rows, &row, e) != 0) {
        return -1;
    }
    while (row) {
        if (entry_read(&rows, &entry, e) != 0) {
            return -1;
        }
        entry.untimely = row_int(&rows, 4) != 0;
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
                        "SELECT coalesce(min(again_at), 0) FROM queue WHERE answered = 0 AND "
                        "again_at > ?",
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
    return store_exec(db,
                      "UPDATE queue SET again_at = ?, untimely = ? WHERE rid = ? AND answered = 0",
                      STORE_VALUES(store_int(again_at), store_int(untimely), store_blob(rid)), e);
}

int
requests_rewrapped(struct store_db *db, struct span rid, struct span nested, struct err *e)
{
    return store_exec(db,
                      "UPDATE queue SET rewrapped = ?, untimely = 0 WHERE rid = ? AND answered = 0",
                      STORE_VALUES(store_blob(nested), store_blob(rid)), e);
}

int
requests_verify_chain(struct store_db *db, struct err *e)
{
    CLEANUP(store_end) struct store_rows rows = {0};
    CLEANUP(requests_entry_clear) struct requests_entry entry = {0};
    uint8_t expected[SHA256_SIZE];
    uint8_t last[SHA256_SIZE] = {0};
    uint64_t before = 0;
    bool row = false;

    if (store_query(db, &rows,
                    "SELECT sequence, rid, nested, previous, hash FROM queue ORDER BY sequence",
                    STORE_NO_VALUES, e) != 0 ||
        store_next(&rows, &row, e) != 0) {
        return -1;
    }
    while (row) {
        if (entry_read(&rows, &entry, e) != 0 ||
            entry_hash(&entry, buf_span(&entry.nested), expected, e) != 0) {
            return -1;
        }
        /* What ended is forgotten before an older entry that still waits: a gap is no break. */
        if (!span_equal(span_of(expected, sizeof(expected)), row_blob(&rows, 4)) ||
            (entry.sequence == before + 1 && memcmp(last, entry.previous, sizeof(last)) != 0)) {
            return err_set(e, ERR_STORE, "the queue's chain breaks at entry %llu",
                           (unsigned long long)entry.sequence);
        }
        memcpy(last, expected, sizeof(last));
        before = entry.sequence;
        if (store_next(&rows, &row, e) != 0) {
            return -1;
        }
    }
    return 0;
}

int
requests_count_open(struct store_db *db, int *open, struct err *e)
{
    CLEANUP(store_end) struct store_rows rows = {0};

    if (store_query_one(db, &rows, "SELECT count(*) FROM queue WHERE answered = 0", STORE_NO_VALUES,
                        e) != 0) {
        return -1;
    }
    *open = (int)row_int(&rows, 0);
    return 0;
}
