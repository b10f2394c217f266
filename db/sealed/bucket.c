/* SPDX-License-Identifier: Apache-2.0 */
#include "db/sealed/bucket.h"

#include <string.h>

int
seal_load(struct store_db *db, const struct sealed_table *table, uint32_t bucket, struct span key,
          struct seal *seal, bool *there, struct err *e)
{
    CLEANUP(store_end) struct store_rows rows = {0};

    *seal = (struct seal){.bucket = bucket};
    if (store_query(
            db, &rows, "SELECT leaf, mac FROM seal WHERE bucket = ?1 AND tbl = ?2 AND key = ?3",
            STORE_VALUES(store_int(bucket), store_int(table->number), store_blob(key)), e) != 0 ||
        store_next(&rows, there, e) != 0) {
        return -1;
    }
    if (!*there) {
        return 0;
    }
    seal->leaf = (uint64_t)row_int(&rows, 0);
    return row_copy_octets(&rows, 1, seal->mac, MAC_SIZE, e);
}

int
seal_store(struct store_db *db, const struct sealed_table *table, struct span key,
           const struct seal *seal, struct err *e)
{
    return store_exec(db,
                      "INSERT INTO seal(bucket, tbl, key, leaf, mac) VALUES(?1, ?2, ?3, ?4, ?5) "
                      "ON CONFLICT (bucket, tbl, key) DO UPDATE SET leaf = ?4, mac = ?5",
                      STORE_VALUES(store_int(seal->bucket), store_int(table->number),
                                   store_blob(key), store_int((int64_t)seal->leaf),
                                   store_blob(span_of(seal->mac, MAC_SIZE))),
                      e);
}

int
seal_remove(struct store_db *db, const struct sealed_table *table, struct span key,
            const struct seal *seal, struct err *e)
{
    return store_exec(
        db, "DELETE FROM seal WHERE bucket = ?1 AND tbl = ?2 AND key = ?3",
        STORE_VALUES(store_int(seal->bucket), store_int(table->number), store_blob(key)), e);
}

int
seal_read(struct sealed *sealed, const struct store_rows *rows, const struct sealed_table **table,
          struct span *key, struct seal *seal, struct err *e)
{
    const int64_t bucket = row_int(rows, 0);
    const int64_t number = row_int(rows, 1);
    const struct span mac = row_blob(rows, 4);
    struct store_value values[SEALED_KEYS_MAX];

    *table = number < 1 || number > UINT8_MAX ? NULL : sealed_table_find(sealed, (unsigned)number);
    *key = row_blob(rows, 2);
    if (*table == NULL || bucket < 0 || bucket >= SEALED_BUCKETS || key->n > SEALED_KEY_OCTETS ||
        !key_decode(*key, values, (*table)->keys) || mac.n != MAC_SIZE) {
        (void)sealed_violation_all(sealed, "there is a seal that is none", e);
        return -1; /* without a seal */
    }
    *seal = (struct seal){.bucket = (uint32_t)bucket, .leaf = (uint64_t)row_int(rows, 3)};
    memcpy(seal->mac, mac.p, MAC_SIZE);
    return 0;
}

/* The row of a seal. */
static int
check_row(struct sealed *sealed, struct store_db *db, const struct sealed_table *table,
          struct span key, const struct seal *seal, struct err *e)
{
    CLEANUP(row_end) struct row row = {0};
    uint8_t mac[MAC_SIZE];

    if (row_read(sealed, db, table, key, &row, e) != 0) {
        return -1;
    }
    if (!row.found) {
        return sealed_violation(sealed, table, key, "deleted", e);
    }
    if (row_mac(sealed, &row, seal->leaf, mac, e) != 0) {
        return -1;
    }
    return row.bucket == seal->bucket && mac_equal(mac, seal->mac)
               ? 0
               : sealed_violation(sealed, table, key, ROW_EDITED, e);
}

int
seal_check(struct sealed *sealed, struct store_db *db, const struct sealed_table *table,
           struct span key, const struct seal *seal, bool note, struct err *e)
{
    struct noted *noted = noted_find(&sealed->noted, table, key);

    if (noted != NULL && !noted->was) {
        return sealed_violation(sealed, table, key, "was deleted before", e);
    }
    if (noted != NULL && noted->compared) {
        return 0;
    }
    if (check_row(sealed, db, table, key, seal, e) != 0) {
        return -1;
    }
    if (note) {
        noted = noted != NULL ? noted : noted_add(&sealed->noted, table, key);
        noted->was = true;
        noted->seal = *seal;
        noted->compared = true;
    }
    return 0;
}

static bool
bit(const uint8_t *bits, uint32_t i)
{
    return (bits[i / 8] >> (i % 8) & 1) != 0;
}

static void
set_bit(uint8_t *bits, uint32_t i)
{
    bits[i / 8] = (uint8_t)(bits[i / 8] | 1U << (i % 8));
}

bool
bucket_is_checked(const struct sealed *sealed, uint32_t bucket)
{
    return bit(sealed->checked, bucket);
}

int
bucket_use(struct sealed *sealed, struct store_db *db, uint32_t bucket, struct err *e)
{
    CLEANUP(store_end) struct store_rows rows = {0};
    const struct sealed_table *table;
    struct seal seal;
    struct span key;
    bool row;

    if (bit(sealed->checked, bucket)) {
        return 0;
    }
    if (store_query(db, &rows, "SELECT bucket, tbl, key, leaf, mac FROM seal WHERE bucket = ?1",
                    STORE_VALUES(store_int(bucket)), e) != 0 ||
        store_next(&rows, &row, e) != 0) {
        return -1;
    }
    while (row) {
        if (seal_read(sealed, &rows, &table, &key, &seal, e) != 0 ||
            seal_check(sealed, db, table, key, &seal, true, e) != 0 ||
            store_next(&rows, &row, e) != 0) {
            return -1;
        }
    }
    set_bit(sealed->checked, bucket);
    return 0;
}
