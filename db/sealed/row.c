/* SPDX-License-Identifier: Apache-2.0 */
#include "db/sealed/row.h"

#include <string.h>

#include "db/sealed/term.h"

/* Those asked for last: what is done in a transaction is about few owners. */
static struct bucket_of *
find_cached(struct sealed *sealed, unsigned owners, struct span owner)
{
    const size_t n = owner.n < sizeof(sealed->buckets[0].owner) ? owner.n : 0;
    size_t hash = owners;

    for (size_t i = 0; i < n; i++) {
        hash = hash * 31 + owner.p[i];
    }
    return n == 0 ? NULL : &sealed->buckets[hash % ARRAY_LEN(sealed->buckets)];
}

static bool
is_cached(const struct bucket_of *cached, unsigned owners, struct span owner)
{
    return cached != NULL && cached->owners == owners &&
           span_equal(span_of(cached->owner, cached->n), owner);
}

static void
cache(struct bucket_of *cached, unsigned owners, struct span owner, uint32_t bucket)
{
    if (cached == NULL) {
        return;
    }
    cached->owners = owners;
    cached->n = owner.n;
    memcpy(cached->owner, owner.p, owner.n);
    cached->bucket = bucket;
}

int
row_bucket(struct sealed *sealed, unsigned owners, struct span owner, uint32_t *bucket,
           struct err *e)
{
    struct bucket_of *cached = find_cached(sealed, owners, owner);
    uint8_t hash[MAC_SIZE];
    struct mac mac;

    if (is_cached(cached, owners, owner)) {
        *bucket = cached->bucket;
        return 0;
    }
    mac_begin(&mac, sealed->keys.sum);
    mac_add_int(&mac, TERM_OWNER, 1);
    mac_add_int(&mac, owners, 1);
    mac_add(&mac, owner);
    if (mac_end(&mac, hash, e) != 0) {
        return -1;
    }
    *bucket = ((uint32_t)hash[0] << 16 | (uint32_t)hash[1] << 8 | hash[2]) % SEALED_BUCKETS;
    cache(cached, owners, owner, *bucket);
    return 0;
}

int
row_read(struct sealed *sealed, struct store_db *db, const struct sealed_table *table,
         struct span key, struct row *row, struct err *e)
{
    struct store_value values[SEALED_KEYS_MAX];
    struct store_value owner;
    struct key encoded;

    *row = (struct row){.table = table, .key = key};
    if (!key_decode(key, values, table->keys)) {
        return sealed_violation(sealed, table, key, "has no key that is one", e);
    }
    if (store_query(db, &row->rows, table->row, values, table->keys, e) != 0 ||
        store_next(&row->rows, &row->found, e) != 0) {
        return -1;
    }
    if (table->by_key) {
        return row_bucket(sealed, table->owners, key, &row->bucket, e);
    }
    if (!row->found) {
        return 0;
    }
    owner = row_value(&row->rows, 0);
    return key_encode(&owner, 1, &encoded, e) != 0
               ? -1
               : row_bucket(sealed, table->owners, key_span(&encoded), &row->bucket, e);
}

void
row_end(struct row *row)
{
    store_end(&row->rows);
}

/* What is NULL is left out, so that a column can be added to rows that are there. */
static void
add_column(struct mac *mac, const struct store_rows *rows, int column)
{
    const struct store_value value = row_value(rows, column);
    const struct span name = span_str(row_name(rows, column));

    if (value.type == STORE_NULL) {
        return;
    }
    mac_add_int(mac, name.n, 1);
    mac_add(mac, name);
    mac_add_int(mac, value.type, 1);
    if (value.type == STORE_INT) {
        mac_add_int(mac, (uint64_t)value.number, 8);
        return;
    }
    mac_add_int(mac, value.bytes.n, 4);
    mac_add(mac, value.bytes);
}

int
row_mac(const struct sealed *sealed, const struct row *row, uint64_t leaf, uint8_t mac[MAC_SIZE],
        struct err *e)
{
    const int columns = row_columns(&row->rows);
    struct mac m;

    mac_begin(&m, sealed->keys.row);
    mac_add_int(&m, row->table->number, 1);
    mac_add_int(&m, row->bucket, 4);
    mac_add_int(&m, leaf, 8);
    mac_add_int(&m, row->key.n, 2);
    mac_add(&m, row->key);
    for (int i = 1; i < columns; i++) {
        add_column(&m, &row->rows, i);
    }
    return mac_end(&m, mac, e);
}
