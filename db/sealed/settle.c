/* SPDX-License-Identifier: Apache-2.0 */
/* What the transaction changed gets its seals, buckets and head, all as it is at its end. */
#include <stdlib.h>

#include "db/sealed/bucket.h"
#include "db/sealed/head.h"

/* What a bucket's sum changes by. */
struct difference {
    uint32_t bucket;
    uint8_t sum[SUM_SIZE];
};

struct differences {
    struct difference *all;
    size_t n;
    size_t capacity;
    int64_t rows;
};

static int
add_term(struct sealed *sealed, struct differences *d, const struct noted *noted,
         const struct seal *seal, struct err *e)
{
    const struct span key = span_of(noted->key, noted->n);
    struct difference *difference;

    d->all = mem_grow(d->all, &d->capacity, d->n + 1, sizeof(*d->all));
    difference = &d->all[d->n++];
    *difference = (struct difference){.bucket = seal->bucket};
    if (term_seal(sealed, seal, noted->table->number, key, difference->sum, e) != 0) {
        return -1;
    }
    if (sealed->scrub.on && sealed->scrub.bucket == seal->bucket &&
        walk_is_past(&sealed->scrub, noted->table->number, key)) {
        sum_add(sealed->scrub.sum, difference->sum);
    }
    return 0;
}

/* A row that is there now. */
static int
seal_row(struct sealed *sealed, struct store_db *db, const struct noted *noted,
         const struct row *row, struct differences *d, struct err *e)
{
    struct seal seal = {.bucket = row->bucket, .leaf = sealed->head.leaves};
    struct seal other;
    bool there = false;

    if (noted->was && noted->seal.bucket != row->bucket) {
        return err_set(e, ERR_STORE, "a row of %s was given to another owner", noted->table->name);
    }
    /* Of one that is by_key it is known. */
    if (!noted->was && !noted->table->by_key &&
        seal_load(db, noted->table, row->bucket, row->key, &other, &there, e) != 0) {
        return -1;
    }
    if (there) {
        return sealed_violation(sealed, noted->table, row->key, "was deleted before", e);
    }
    return row_mac(sealed, row, seal.leaf, seal.mac, e) != 0 ||
                   seal_store(db, noted->table, row->key, &seal, e) != 0
               ? -1
               : add_term(sealed, d, noted, &seal, e);
}

static int
settle_row(struct sealed *sealed, struct store_db *db, const struct noted *noted,
           struct differences *d, struct err *e)
{
    const struct span key = span_of(noted->key, noted->n);
    CLEANUP(row_end) struct row row = {0};

    if (row_read(sealed, db, noted->table, key, &row, e) != 0 ||
        (noted->was && add_term(sealed, d, noted, &noted->seal, e) != 0)) {
        return -1;
    }
    d->rows += (row.found ? 1 : 0) - (noted->was ? 1 : 0);
    if (row.found) {
        return seal_row(sealed, db, noted, &row, d, e);
    }
    return noted->was ? seal_remove(db, noted->table, key, &noted->seal, e) : 0;
}

static int
settle_bucket(struct sealed *sealed, struct store_db *db, const struct difference *d, struct err *e)
{
    struct bucket_row row;

    if (bucket_load(db, d->bucket, &row, e) != 0 ||
        bucket_check_tag(sealed, d->bucket, &row, NULL, e) != 0 ||
        term_bucket(sealed, d->bucket, &row, sealed->head.sum, e) != 0 ||
        (row.there && term_bucket_nonce(sealed, d->bucket, row.nonce, row.sum, e) != 0)) {
        return -1;
    }
    if (!row.there) {
        bucket_is_new(sealed, d->bucket);
    }
    sum_add(row.sum, d->sum);
    row.there = true;
    if (sealed_nonce(sealed, row.nonce, e) != 0 ||
        term_bucket_nonce(sealed, d->bucket, row.nonce, row.sum, e) != 0 ||
        term_bucket(sealed, d->bucket, &row, sealed->head.sum, e) != 0 ||
        bucket_store(db, d->bucket, &row, e) != 0) {
        return -1;
    }
    sealed->tags[d->bucket] = nonce_tag(row.nonce);
    return 0;
}

static int
by_bucket(const void *a, const void *b)
{
    const struct difference *x = a;
    const struct difference *y = b;

    return x->bucket < y->bucket ? -1 : x->bucket > y->bucket ? 1 : 0;
}

static int
settle_buckets(struct sealed *sealed, struct store_db *db, struct differences *d, struct err *e)
{
    if (d->n == 0) {
        return 0;
    }
    qsort(d->all, d->n, sizeof(*d->all), by_bucket);
    for (size_t i = 0, next; i < d->n; i = next) {
        for (next = i + 1; next < d->n && d->all[next].bucket == d->all[i].bucket; next++) {
            sum_add(d->all[i].sum, d->all[next].sum);
        }
        if (settle_bucket(sealed, db, &d->all[i], e) != 0) {
            return -1;
        }
    }
    return 0;
}

static int
settle_rows(struct sealed *sealed, struct store_db *db, struct err *e)
{
    struct differences d = {0};
    int result = 0;

    for (const struct noted *n = sealed->noted.first; n != NULL && result == 0; n = n->next) {
        result = n->changed ? settle_row(sealed, db, n, &d, e) : 0;
    }
    result = result != 0 ? -1 : settle_buckets(sealed, db, &d, e);
    mem_free(d.all);
    if (result != 0) {
        return -1;
    }
    sealed->head.rows = (uint64_t)((int64_t)sealed->head.rows + d.rows);
    return 0;
}

static int
settle(struct sealed *sealed, struct store_db *db, struct err *e)
{
    const bool changes = sealed->changes > 0;
    uint64_t leaves;

    if (head_leaves(sealed, db, changes, &leaves, e) != 0) {
        return -1;
    }
    if (!changes && !sealed->fresh && leaves == sealed->head.leaves) {
        return 0;
    }
    sealed->head.leaves = leaves;
    sealed->fresh = false;
    return settle_rows(sealed, db, e) != 0 ? -1 : head_store(sealed, db, e);
}

/* The operation that began was rolled back. */
static int
take_back(struct sealed *sealed, struct store_db *db, struct err *e)
{
    bool there = true;

    if (sealed->fresh && head_exists(db, &there, e) != 0) {
        return -1;
    }
    if (!there) {
        sealed->fresh = false;
        sealed->state = SEALED_NOT_YET;
        sealed->head = (struct head){0};
        memset(sealed->tags, 0, SEALED_BUCKETS * sizeof(*sealed->tags));
        memset(sealed->checked, 0, SEALED_BUCKETS / 8);
        seen_end(&sealed->owners);
        sealed->scrub.on = false;
    }
    return 0;
}

static void
forget(struct sealed *sealed)
{
    noted_clear(&sealed->noted);
    sealed->changes = 0;
}

void
sealed_forget(struct store_db *db)
{
    struct sealed *sealed = store_context(db);

    if (sealed != NULL) {
        forget(sealed);
    }
}

int
sealed_settle(void *context, struct store_db *db, struct err *e)
{
    struct sealed *sealed = context;
    int result;

    if (sealed->violated) {
        *e = sealed->violation;
        return -1;
    }
    result = take_back(sealed, db, e);
    if (result == 0 && sealed->state == SEALED_ON) {
        result = settle(sealed, db, e);
    }
    forget(sealed);
    return result;
}
