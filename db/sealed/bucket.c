/* SPDX-License-Identifier: Apache-2.0 */
#include "db/sealed/bucket.h"

#include <stdio.h>
#include <string.h>

int
bucket_load(struct store_db *db, uint32_t bucket, struct bucket_row *row, struct err *e)
{
    CLEANUP(store_end) struct store_rows rows = {0};

    *row = (struct bucket_row){0};
    if (store_query(db, &rows, "SELECT nonce, sum FROM seal_bucket WHERE bucket = ?1",
                    STORE_VALUES(store_int(bucket)), e) != 0 ||
        store_next(&rows, &row->there, e) != 0) {
        return -1;
    }
    return row->there && (row_copy_octets(&rows, 0, row->nonce, NONCE_SIZE, e) != 0 ||
                          row_copy_octets(&rows, 1, row->sum, SUM_SIZE, e) != 0)
               ? -1
               : 0;
}

int
bucket_store(struct store_db *db, uint32_t bucket, const struct bucket_row *row, struct err *e)
{
    return store_exec(db,
                      "INSERT INTO seal_bucket(bucket, nonce, sum) VALUES(?1, ?2, ?3) "
                      "ON CONFLICT (bucket) DO UPDATE SET nonce = ?2, sum = ?3",
                      STORE_VALUES(store_int(bucket), store_blob(span_of(row->nonce, NONCE_SIZE)),
                                   store_blob(span_of(row->sum, SUM_SIZE))),
                      e);
}

static int
violation(struct sealed *sealed, uint32_t bucket, const struct asker *asker, const char *what,
          struct err *e)
{
    char text[256];

    if (asker != NULL) {
        return sealed_violation(sealed, asker->table, asker->key, what, e);
    }
    (void)snprintf(text, sizeof(text), "the rows of one owner (bucket %u): %s", bucket, what);
    return sealed_violation_all(sealed, text, e);
}

int
bucket_check_tag(struct sealed *sealed, uint32_t bucket, const struct bucket_row *row,
                 const struct asker *asker, struct err *e)
{
    return sealed->tags[bucket] == (row->there ? nonce_tag(row->nonce) : 0)
               ? 0
               : violation(sealed, bucket, asker,
                           "put back to what was there before, while this program runs", e);
}

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

/* A row that was compared in this transaction may be another by now. */
static int
check_once(struct sealed *sealed, struct store_db *db, const struct sealed_table *table,
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

static int
order(unsigned number, struct span key, unsigned other, struct span other_key)
{
    const size_t n = key.n < other_key.n ? key.n : other_key.n;
    const int octets = number == other && n > 0 ? memcmp(key.p, other_key.p, n) : 0;

    if (number != other) {
        return number < other ? -1 : 1;
    }
    if (octets != 0) {
        return octets;
    }
    return key.n < other_key.n ? -1 : key.n > other_key.n ? 1 : 0;
}

bool
walk_is_past(const struct walk *w, unsigned table, struct span key)
{
    return order(table, key, w->number, key_span(&w->key)) <= 0;
}

/* Where a walk is, and for whom. */
struct walking {
    struct sealed *sealed;
    struct store_db *db;
    struct walk *walk;
    const struct asker *asker;
    bool note;
};

static int
walk_seal(const struct walking *w, const struct store_rows *rows, struct err *e)
{
    const int64_t number = row_int(rows, 0);
    const struct span key = row_blob(rows, 1);
    const struct sealed_table *table =
        number < 1 || number > UINT8_MAX ? NULL : sealed_table_find(w->sealed, (unsigned)number);
    struct store_value values[SEALED_KEYS_MAX];
    struct seal seal = {.bucket = w->walk->bucket, .leaf = (uint64_t)row_int(rows, 2)};

    /* In a set none is twice: an element that is there twice would take itself out of the sum. */
    if (table == NULL || key.n > sizeof(w->walk->key.octets) ||
        !key_decode(key, values, table->keys) || row_blob(rows, 3).n != MAC_SIZE ||
        walk_is_past(w->walk, table->number, key)) {
        return violation(w->sealed, w->walk->bucket, w->asker, "there is a seal that is none", e);
    }
    memcpy(seal.mac, row_blob(rows, 3).p, MAC_SIZE);
    memcpy(w->walk->key.octets, key.p, key.n);
    w->walk->key.n = key.n;
    w->walk->number = table->number;
    if (term_seal(w->sealed, &seal, table->number, key, w->walk->sum, e) != 0) {
        return -1;
    }
    return check_once(w->sealed, w->db, table, key_span(&w->walk->key), &seal, w->note, e);
}

/* The one that the walk is at, unless it is gone since. */
static bool
is_last_seen(const struct walk *walk, const struct store_rows *rows)
{
    return walk->number != 0 && row_int(rows, 0) == walk->number &&
           span_equal(row_blob(rows, 1), key_span(&walk->key));
}

/* *over: there are no more. */
static int
walk_seals(const struct walking *w, size_t max, size_t *seen, bool *over, struct err *e)
{
    CLEANUP(store_end) struct store_rows rows = {0};
    const struct walk *walk = w->walk;
    bool row;

    if (store_query(w->db, &rows,
                    "SELECT tbl, key, leaf, mac FROM seal WHERE bucket = ?1 AND (tbl, key) >= (?2, "
                    "?3) ORDER BY tbl, key",
                    STORE_VALUES(store_int(walk->bucket), store_int(walk->number),
                                 store_blob(key_span(&walk->key))),
                    e) != 0 ||
        store_next(&rows, &row, e) != 0 ||
        (row && is_last_seen(walk, &rows) && store_next(&rows, &row, e) != 0)) {
        return -1;
    }
    while (row && *seen < max) {
        if (walk_seal(w, &rows, e) != 0 || store_next(&rows, &row, e) != 0) {
            return -1;
        }
        (*seen)++;
    }
    *over = !row;
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

void
bucket_is_new(struct sealed *sealed, uint32_t bucket)
{
    set_bit(sealed->checked, bucket);
}

bool
bucket_is_checked(const struct sealed *sealed, uint32_t bucket)
{
    return bit(sealed->checked, bucket);
}

static int
begin_walk(const struct walking *w, struct bucket_row *row, struct err *e)
{
    return bucket_load(w->db, w->walk->bucket, row, e) != 0
               ? -1
               : bucket_check_tag(w->sealed, w->walk->bucket, row, w->asker, e);
}

/* Its sum is that of the bucket, as it is now. */
static int
end_walk(const struct walking *w, struct err *e)
{
    struct walk *walk = w->walk;
    struct bucket_row row;

    if (begin_walk(w, &row, e) != 0) {
        return -1;
    }
    if (row.there) {
        sum_add(walk->sum, row.sum);
        if (term_bucket_nonce(w->sealed, walk->bucket, row.nonce, walk->sum, e) != 0) {
            return -1;
        }
    }
    if (!sum_is_zero(walk->sum)) {
        return violation(w->sealed, walk->bucket, w->asker,
                         "it, or another row of its owner, is missing or was put back to what it "
                         "was before",
                         e);
    }
    set_bit(w->sealed->checked, walk->bucket);
    return 0;
}

int
bucket_use(struct sealed *sealed, struct store_db *db, uint32_t bucket, const struct asker *asker,
           struct err *e)
{
    struct walk walk = {.bucket = bucket};
    const struct walking w = {sealed, db, &walk, asker, true};
    size_t seen = 0;
    bool over = false;
    struct bucket_row row;

    if (bit(sealed->checked, bucket)) {
        return 0;
    }
    /* First of all: is it from another time? */
    return begin_walk(&w, &row, e) != 0 || walk_seals(&w, SIZE_MAX, &seen, &over, e) != 0
               ? -1
               : end_walk(&w, e);
}

int
bucket_scrub(struct sealed *sealed, struct store_db *db, uint32_t bucket, size_t max, size_t *seen,
             struct err *e)
{
    struct walk *walk = &sealed->scrub;
    const struct walking w = {sealed, db, walk, NULL, false};
    bool over = false;

    if (!walk->on || walk->bucket != bucket) {
        *walk = (struct walk){.on = true, .bucket = bucket};
    }
    if (walk_seals(&w, max, seen, &over, e) != 0) {
        return -1;
    }
    if (!over) {
        return 0;
    }
    walk->on = false;
    return end_walk(&w, e);
}
