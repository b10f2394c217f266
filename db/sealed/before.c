/* SPDX-License-Identifier: Apache-2.0 */
#include "db/sealed/before.h"

#include "db/sealed/bucket.h"
#include "db/sealed/term.h"

struct bucket {
    uint32_t number;
    uint8_t nonce[NONCE_SIZE];
    uint8_t sum[SUM_SIZE];
};

static int
add_nonce(const struct sealed *sealed, const struct bucket *b, uint8_t sum[SUM_SIZE], struct err *e)
{
    struct mac mac;

    mac_begin(&mac, sealed->keys.sum);
    mac_add_int(&mac, TERM_BUCKET_NONCE, 1);
    mac_add_int(&mac, b->number, 4);
    mac_add(&mac, span_of(b->nonce, NONCE_SIZE));
    return term_end(&mac, sum, e);
}

static int
add_bucket(const struct sealed *sealed, const struct bucket *b, uint8_t sum[SUM_SIZE],
           struct err *e)
{
    struct mac mac;

    mac_begin(&mac, sealed->keys.sum);
    mac_add_int(&mac, TERM_BUCKET, 1);
    mac_add_int(&mac, b->number, 4);
    mac_add(&mac, span_of(b->nonce, NONCE_SIZE));
    mac_add(&mac, span_of(b->sum, SUM_SIZE));
    return term_end(&mac, sum, e);
}

/* Takes the seals out of its sum. */
static int
take_seals(struct sealed *sealed, struct store_db *db, const struct bucket *b,
           uint8_t sum[SUM_SIZE], uint64_t *seals, struct err *e)
{
    CLEANUP(store_end) struct store_rows rows = {0};
    const struct sealed_table *table;
    struct seal seal;
    struct span key;
    bool row;

    if (store_query(db, &rows, "SELECT bucket, tbl, key, leaf, mac FROM seal WHERE bucket = ?1",
                    STORE_VALUES(store_int(b->number)), e) != 0 ||
        store_next(&rows, &row, e) != 0) {
        return -1;
    }
    while (row) {
        if (seal_read(sealed, &rows, &table, &key, &seal, e) != 0 ||
            term_seal(sealed, &seal, table->number, key, sum, e) != 0 ||
            store_next(&rows, &row, e) != 0) {
            return -1;
        }
        (*seals)++;
    }
    return 0;
}

static int
check_bucket(struct sealed *sealed, struct store_db *db, const struct bucket *b, uint64_t *seals,
             struct err *e)
{
    uint8_t rest[SUM_SIZE];

    memcpy(rest, b->sum, SUM_SIZE);
    if (add_nonce(sealed, b, rest, e) != 0 || take_seals(sealed, db, b, rest, seals, e) != 0) {
        return -1;
    }
    return sum_is_zero(rest)
               ? 0
               : sealed_violation_all(
                     sealed,
                     "rows of one owner were put back to what they were before, or deleted, with "
                     "their seals",
                     e);
}

int
before_add(struct sealed *sealed, struct store_db *db, uint8_t sum[SUM_SIZE], uint64_t *seals,
           struct err *e)
{
    CLEANUP(store_end) struct store_rows rows = {0};
    bool row;

    *seals = 0;
    if (store_query(db, &rows, "SELECT bucket, nonce, sum FROM seal_bucket", STORE_NO_VALUES, e) !=
            0 ||
        store_next(&rows, &row, e) != 0) {
        return -1;
    }
    while (row) {
        const int64_t number = row_int(&rows, 0);
        struct bucket b = {.number = (uint32_t)number};

        if (number < 0 || number >= SEALED_BUCKETS) {
            return sealed_violation_all(sealed, "there is a bucket that is none", e);
        }
        if (row_copy_octets(&rows, 1, b.nonce, NONCE_SIZE, e) != 0 ||
            row_copy_octets(&rows, 2, b.sum, SUM_SIZE, e) != 0 ||
            check_bucket(sealed, db, &b, seals, e) != 0 || add_bucket(sealed, &b, sum, e) != 0 ||
            store_next(&rows, &row, e) != 0) {
            return -1;
        }
    }
    return 0;
}

int
before_remove(struct store_db *db, struct err *e)
{
    return store_exec(db, "DELETE FROM seal_bucket", STORE_NO_VALUES, e);
}
