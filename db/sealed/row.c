/* SPDX-License-Identifier: Apache-2.0 */
#include "db/sealed/row.h"

#include <string.h>

#include "db/sealed/term.h"

/* Those asked for last: what is done in a transaction is about few owners. */
static struct cached_owner *
find_cached(struct sealed *sealed, unsigned owners, struct span octets)
{
    const size_t n = octets.n < sizeof(sealed->cached[0].octets) ? octets.n : 0;
    size_t hash = owners;

    for (size_t i = 0; i < n; i++) {
        hash = hash * 31 + octets.p[i];
    }
    return n == 0 ? NULL : &sealed->cached[hash % ARRAY_LEN(sealed->cached)];
}

static bool
is_cached(const struct cached_owner *cached, unsigned owners, struct span octets)
{
    return cached != NULL && cached->owners == owners &&
           span_equal(span_of(cached->octets, cached->n), octets);
}

static void
cache(struct cached_owner *cached, unsigned owners, struct span octets, const struct owner *owner)
{
    if (cached == NULL) {
        return;
    }
    cached->owners = owners;
    cached->owner = *owner;
    cached->n = octets.n;
    memcpy(cached->octets, octets.p, octets.n);
}

int
row_owner(struct sealed *sealed, unsigned owners, struct span octets, struct owner *owner,
          struct err *e)
{
    struct cached_owner *cached = find_cached(sealed, owners, octets);
    uint8_t hash[MAC_SIZE];
    struct mac mac;

    if (is_cached(cached, owners, octets)) {
        *owner = cached->owner;
        return 0;
    }
    mac_begin(&mac, sealed->keys.sum);
    mac_add_int(&mac, TERM_OWNER, 1);
    mac_add_int(&mac, owners, 1);
    mac_add(&mac, octets);
    if (mac_end(&mac, hash, e) != 0) {
        return -1;
    }
    owner->bucket = ((uint32_t)hash[0] << 16 | (uint32_t)hash[1] << 8 | hash[2]) % SEALED_BUCKETS;
    memcpy(&owner->number, hash + 3, sizeof(owner->number));
    owner->number |= 1;
    cache(cached, owners, octets, owner);
    return 0;
}

int
row_read(struct sealed *sealed, struct store_db *db, const struct sealed_table *table,
         struct span key, struct row *row, struct err *e)
{
    struct store_value values[SEALED_KEYS_MAX];
    struct store_value value;
    struct owner owner;
    struct key encoded;

    *row = (struct row){.table = table, .key = key};
    if (!key_decode(key, values, table->keys)) {
        return sealed_violation(sealed, table, key, "has no key that is one", e);
    }
    if (store_query(db, &row->rows, table->row, values, table->keys, e) != 0 ||
        store_next(&row->rows, &row->found, e) != 0) {
        return -1;
    }
    if (!table->by_key && !row->found) {
        return 0;
    }
    if (!table->by_key) {
        value = row_value(&row->rows, 0);
        if (key_encode(&value, 1, &encoded, e) != 0) {
            return -1;
        }
    }
    if (row_owner(sealed, table->owners, table->by_key ? key : key_span(&encoded), &owner, e) !=
        0) {
        return -1;
    }
    row->bucket = owner.bucket;
    return 0;
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
