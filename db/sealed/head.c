/* SPDX-License-Identifier: Apache-2.0 */
#include "db/sealed/head.h"

#include <stdio.h>
#include <string.h>

#include "base/ossl.h"
#include "db/sealed/before.h"
#include "db/sealed/bucket.h"
#include "db/sealed/term.h"

/* What an HMAC under the key of the head is of. */
enum head_mac {
    HEAD_KEY_ID,
    HEAD_OVER_BUCKETS, /* before.h */
    HEAD_OVER_SEALS,
};

struct stored {
    uint8_t key_id[MAC_SIZE];
    uint8_t nonce[NONCE_SIZE];
    uint8_t sum[SUM_SIZE];
    uint64_t leaves;
    uint64_t rows;
    uint8_t mac[MAC_SIZE];
};

static int
make_key_id(const struct sealed *sealed, uint8_t out[MAC_SIZE], struct err *e)
{
    struct mac mac;

    mac_begin(&mac, sealed->keys.head);
    mac_add_int(&mac, HEAD_KEY_ID, 1);
    return mac_end(&mac, out, e);
}

static int
make_mac(const struct sealed *sealed, enum head_mac kind, const struct stored *h,
         uint8_t out[MAC_SIZE], struct err *e)
{
    struct mac mac;

    mac_begin(&mac, sealed->keys.head);
    mac_add_int(&mac, kind, 1);
    mac_add(&mac, span_of(h->nonce, NONCE_SIZE));
    mac_add(&mac, span_of(h->sum, SUM_SIZE));
    mac_add_int(&mac, h->leaves, 8);
    mac_add_int(&mac, h->rows, 8);
    return mac_end(&mac, out, e);
}

int
head_exists(struct store_db *db, bool *there, struct err *e)
{
    return store_has_row(db, "SELECT 1 FROM seal_head", STORE_NO_VALUES, there, e);
}

static int
load(struct store_db *db, struct stored *h, struct err *e)
{
    CLEANUP(store_end) struct store_rows rows = {0};

    if (store_query_one(db, &rows, "SELECT key_id, nonce, sum, leaf, rows, mac FROM seal_head",
                        STORE_NO_VALUES, e) != 0 ||
        row_copy_octets(&rows, 0, h->key_id, MAC_SIZE, e) != 0 ||
        row_copy_octets(&rows, 1, h->nonce, NONCE_SIZE, e) != 0 ||
        row_copy_octets(&rows, 2, h->sum, SUM_SIZE, e) != 0 ||
        row_copy_octets(&rows, 5, h->mac, MAC_SIZE, e) != 0) {
        return -1;
    }
    h->leaves = (uint64_t)row_int(&rows, 3);
    h->rows = (uint64_t)row_int(&rows, 4);
    return 0;
}

/* In a set none is twice: an element that is there twice would take itself out of the sum. */
static bool
is_behind(const struct seal *seal, unsigned table, struct span key, const struct seal *last,
          unsigned last_table, const struct key *last_key)
{
    const size_t n = key.n < last_key->n ? key.n : last_key->n;
    int order = n == 0 ? 0 : memcmp(key.p, last_key->octets, n);

    if (seal->bucket != last->bucket) {
        return seal->bucket > last->bucket;
    }
    if (table != last_table) {
        return table > last_table;
    }
    return order != 0 ? order > 0 : key.n > last_key->n;
}

/* Adds the term of each seal, and counts them. */
static int
add_seals(struct sealed *sealed, struct store_db *db, uint8_t sum[SUM_SIZE], uint64_t *n,
          struct err *e)
{
    CLEANUP(store_end) struct store_rows rows = {0};
    const struct sealed_table *table;
    struct seal last = {0};
    unsigned last_table = 0;
    struct key last_key = {0};
    struct seal seal;
    struct span key;
    bool row;

    *n = 0;
    if (store_query(db, &rows,
                    "SELECT bucket, tbl, key, leaf, mac FROM seal ORDER BY bucket, tbl, key",
                    STORE_NO_VALUES, e) != 0 ||
        store_next(&rows, &row, e) != 0) {
        return -1;
    }
    while (row) {
        if (seal_read(sealed, &rows, &table, &key, &seal, e) != 0) {
            return -1;
        }
        if (!is_behind(&seal, table->number, key, &last, last_table, &last_key)) {
            return sealed_violation_all(sealed, "there is a seal that is none", e);
        }
        last = seal;
        last_table = table->number;
        last_key.n = key.n;
        memcpy(last_key.octets, key.p, key.n);
        if (term_seal(sealed, &seal, table->number, key, sum, e) != 0 ||
            store_next(&rows, &row, e) != 0) {
            return -1;
        }
        (*n)++;
    }
    return 0;
}

static int
check_key(struct sealed *sealed, const struct stored *h, bool *older, struct err *e)
{
    uint8_t expected[MAC_SIZE];
    uint8_t of_before[MAC_SIZE];

    if (make_key_id(sealed, expected, e) != 0) {
        return -1;
    }
    if (!mac_equal(expected, h->key_id)) {
        return err_set(e, ERR_DENIED,
                       "%s is sealed under another key than that of %s: use the token that it "
                       "belongs to, see %s(8)",
                       sealed->options.file, sealed->options.token, sealed->options.program);
    }
    if (make_mac(sealed, HEAD_OVER_SEALS, h, expected, e) != 0 ||
        make_mac(sealed, HEAD_OVER_BUCKETS, h, of_before, e) != 0) {
        return -1;
    }
    *older = mac_equal(of_before, h->mac);
    return *older || mac_equal(expected, h->mac)
               ? 0
               : sealed_violation_all(sealed, "the head of its seals was edited", e);
}

static int
check_leaves(struct sealed *sealed, struct store_db *db, const struct stored *h, struct err *e)
{
    char text[200];
    uint64_t leaves;

    if (sealed->options.leaves == NULL) {
        return 0;
    }
    if (sealed->options.leaves(db, &leaves, e) != 0) {
        return -1;
    }
    if (leaves == h->leaves) {
        return 0;
    }
    (void)snprintf(text, sizeof(text),
                   "its rows are those of %llu leaves, and the record has %llu: they were put back "
                   "to what they were before",
                   (unsigned long long)h->leaves, (unsigned long long)leaves);
    return sealed_violation_all(sealed, text, e);
}

int
head_open(struct sealed *sealed, struct store_db *db, struct err *e)
{
    struct stored h;
    struct head head = {0};
    uint8_t sum[SUM_SIZE];
    uint64_t before = 0;
    bool older;

    if (load(db, &h, e) != 0 || check_key(sealed, &h, &older, e) != 0 ||
        check_leaves(sealed, db, &h, e) != 0) {
        return -1;
    }
    memcpy(sum, h.sum, SUM_SIZE);
    if (term_head_nonce(sealed, h.nonce, sum, e) != 0 ||
        add_seals(sealed, db, head.sum, &head.rows, e) != 0) {
        return -1;
    }
    if (older && before_add(sealed, db, sum, &before, e) != 0) {
        return -1;
    }
    if (!older) {
        sum_add(sum, head.sum);
        before = head.rows;
    }
    if (!sum_is_zero(sum) || head.rows != h.rows || before != h.rows) {
        return sealed_violation_all(
            sealed, "rows were put back to what they were before, or deleted, with their seals", e);
    }
    head.leaves = h.leaves;
    sealed->head = head;
    sealed->older = older;
    return 0;
}

int
head_store(struct sealed *sealed, struct store_db *db, struct err *e)
{
    struct stored h = {.leaves = sealed->head.leaves, .rows = sealed->head.rows};

    memcpy(h.sum, sealed->head.sum, SUM_SIZE);
    if (random_bytes(h.nonce, sizeof(h.nonce), e) != 0 || make_key_id(sealed, h.key_id, e) != 0 ||
        term_head_nonce(sealed, h.nonce, h.sum, e) != 0 ||
        make_mac(sealed, HEAD_OVER_SEALS, &h, h.mac, e) != 0) {
        return -1;
    }
    return store_exec(db,
                      "INSERT INTO seal_head(one, key_id, nonce, sum, leaf, rows, mac) "
                      "VALUES(1, ?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (one) DO UPDATE "
                      "SET key_id = ?1, nonce = ?2, sum = ?3, leaf = ?4, rows = ?5, mac = ?6",
                      STORE_VALUES(store_blob(span_of(h.key_id, MAC_SIZE)),
                                   store_blob(span_of(h.nonce, NONCE_SIZE)),
                                   store_blob(span_of(h.sum, SUM_SIZE)),
                                   store_int((int64_t)h.leaves), store_int((int64_t)h.rows),
                                   store_blob(span_of(h.mac, MAC_SIZE))),
                      e);
}

int
head_leaves(const struct sealed *sealed, struct store_db *db, bool changes, uint64_t *leaves,
            struct err *e)
{
    if (sealed->options.leaves != NULL) {
        return sealed->options.leaves(db, leaves, e);
    }
    *leaves = sealed->head.leaves + (changes ? 1 : 0);
    return 0;
}
