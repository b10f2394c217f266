/* SPDX-License-Identifier: Apache-2.0 */
#include "db/sealed/bucket.h"

#include <stdio.h>

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
check_row(struct sealed *sealed, struct store_db *db, struct noted *noted, struct err *e)
{
    const struct span key = span_of(noted->key, noted->n);
    CLEANUP(row_end) struct row row = {0};
    uint8_t mac[MAC_SIZE];

    if (row_read(sealed, db, noted->table, key, &row, e) != 0) {
        return -1;
    }
    if (!row.found) {
        return sealed_violation(sealed, noted->table, key, "deleted", e);
    }
    if (row_mac(sealed, &row, noted->seal.leaf, mac, e) != 0) {
        return -1;
    }
    if (row.bucket != noted->seal.bucket || !mac_equal(mac, noted->seal.mac)) {
        return sealed_violation(sealed, noted->table, key, ROW_EDITED, e);
    }
    noted->compared = true;
    return 0;
}

/* What was known of the row already agrees, or is now known. */
static int
note_seal(struct sealed *sealed, const struct sealed_table *table, struct span key,
          const struct seal *seal, struct noted **out, struct err *e)
{
    struct noted *noted = noted_find(&sealed->noted, table, key);

    if (noted == NULL) {
        noted = noted_add(&sealed->noted, table, key);
        noted->was = true;
        noted->seal = *seal;
    }
    *out = noted;
    return noted->was ? 0 : sealed_violation(sealed, table, key, "was deleted before", e);
}

/* In a set none is twice: an element that is there twice would take itself out of the sum. */
static bool
is_ascending(unsigned before, const struct key *last, unsigned number, struct span key)
{
    const size_t n = last->n < key.n ? last->n : key.n;
    int order = before == number ? memcmp(last->octets, key.p, n) : 0;

    if (before != number) {
        return before < number;
    }
    return order != 0 ? order < 0 : last->n < key.n;
}

struct walk {
    struct sealed *sealed;
    struct store_db *db;
    uint32_t bucket;
    bool rows;
    const struct asker *asker;
    uint8_t sum[SUM_SIZE];
    unsigned number; /* of the last seal; 0: none */
    struct key key;
    size_t seen;
};

static int
walk_seal(struct walk *w, const struct store_rows *rows, struct err *e)
{
    const int64_t number = row_int(rows, 0);
    const struct span key = row_blob(rows, 1);
    const struct sealed_table *table =
        number < 1 || number > UINT8_MAX ? NULL : sealed_table_find(w->sealed, (unsigned)number);
    struct store_value values[SEALED_KEYS_MAX];
    struct seal seal = {.bucket = w->bucket, .leaf = (uint64_t)row_int(rows, 2)};
    struct noted *noted;

    if (table == NULL || key.n > sizeof(w->key.octets) || !key_decode(key, values, table->keys) ||
        row_blob(rows, 3).n != MAC_SIZE || !is_ascending(w->number, &w->key, table->number, key)) {
        return violation(w->sealed, w->bucket, w->asker, "there is a seal that is none", e);
    }
    memcpy(seal.mac, row_blob(rows, 3).p, MAC_SIZE);
    memcpy(w->key.octets, key.p, key.n);
    w->key.n = key.n;
    w->number = table->number;
    w->seen++;
    if (term_seal(w->sealed, &seal, table->number, key, w->sum, e) != 0 ||
        note_seal(w->sealed, table, key, &seal, &noted, e) != 0) {
        return -1;
    }
    return w->rows && !noted->compared ? check_row(w->sealed, w->db, noted, e) : 0;
}

static int
walk_seals(struct walk *w, struct err *e)
{
    CLEANUP(store_end) struct store_rows rows = {0};
    bool row;

    if (store_query(w->db, &rows,
                    "SELECT tbl, key, leaf, mac FROM seal WHERE bucket = ?1 ORDER BY tbl, key",
                    STORE_VALUES(store_int(w->bucket)), e) != 0 ||
        store_next(&rows, &row, e) != 0) {
        return -1;
    }
    while (row) {
        if (walk_seal(w, &rows, e) != 0 || store_next(&rows, &row, e) != 0) {
            return -1;
        }
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

void
bucket_is_new(struct sealed *sealed, uint32_t bucket)
{
    set_bit(sealed->checked, bucket);
}

const struct opened *
bucket_opened(const struct sealed *sealed, uint32_t bucket)
{
    const struct opened *opened = sealed->opened_chains[bucket % OPENED_CHAINS];

    while (opened != NULL && opened->bucket != bucket) {
        opened = opened->chain;
    }
    return opened;
}

static void
remember(struct sealed *sealed, uint32_t bucket, bool rows, const struct bucket_row *row)
{
    struct opened **chain = &sealed->opened_chains[bucket % OPENED_CHAINS];
    struct opened *opened = *chain;

    while (opened != NULL && opened->bucket != bucket) {
        opened = opened->chain;
    }
    if (opened == NULL) {
        opened = mem_new(sizeof(*opened));
        opened->bucket = bucket;
        opened->row = *row;
        opened->chain = *chain;
        *chain = opened;
        opened->next = sealed->opened;
        sealed->opened = opened;
    }
    opened->rows = opened->rows || rows;
    if (rows) {
        set_bit(sealed->checked, bucket);
    }
}

int
bucket_check(struct sealed *sealed, struct store_db *db, uint32_t bucket, bool rows,
             const struct asker *asker, size_t *seen, struct err *e)
{
    struct walk w = {.sealed = sealed, .db = db, .bucket = bucket, .rows = rows, .asker = asker};
    struct bucket_row row;

    if (bucket_load(db, bucket, &row, e) != 0 ||
        bucket_check_tag(sealed, bucket, &row, asker, e) != 0) {
        return -1;
    }
    if (row.there) {
        memcpy(w.sum, row.sum, SUM_SIZE);
        if (term_bucket_nonce(sealed, bucket, row.nonce, w.sum, e) != 0) {
            return -1;
        }
    }
    if (walk_seals(&w, e) != 0) {
        return -1;
    }
    if (!sum_is_zero(w.sum)) {
        return violation(sealed, bucket, asker,
                         "it, or another row of its owner, is missing or was put back to what it "
                         "was before",
                         e);
    }
    remember(sealed, bucket, rows, &row);
    if (seen != NULL) {
        *seen = w.seen;
    }
    return 0;
}

bool
bucket_is_checked(const struct sealed *sealed, uint32_t bucket)
{
    return bit(sealed->checked, bucket);
}

int
bucket_use(struct sealed *sealed, struct store_db *db, uint32_t bucket, bool each_use,
           const struct asker *asker, struct err *e)
{
    const bool first = !bit(sealed->checked, bucket);

    return first || (each_use && bucket_opened(sealed, bucket) == NULL)
               ? bucket_check(sealed, db, bucket, first, asker, NULL, e)
               : 0;
}

void
bucket_forget(struct sealed *sealed)
{
    struct opened *opened = sealed->opened;

    if (opened == NULL) {
        return;
    }
    while (opened != NULL) {
        struct opened *next = opened->next;

        mem_free(opened);
        opened = next;
    }
    sealed->opened = NULL;
    memset(sealed->opened_chains, 0, sizeof(sealed->opened_chains));
}
