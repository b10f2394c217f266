/* SPDX-License-Identifier: Apache-2.0 */
/* All buckets with their rows, and then all rows: is there one without a seal? */
#include "db/sealed/bucket.h"

void
sealed_cursor_free(struct sealed_cursor *cursor)
{
    buf_free(&cursor->key);
    *cursor = (struct sealed_cursor){0};
}

/* The next one that has a sum, or seals. */
static int
next_bucket(struct store_db *db, uint32_t from, int64_t *bucket, bool *there, struct err *e)
{
    CLEANUP(store_end) struct store_rows rows = {0};

    if (store_query_one(db, &rows,
                        "SELECT min(b) FROM (SELECT min(bucket) AS b FROM seal_bucket WHERE bucket "
                        ">= ?1 UNION ALL SELECT min(bucket) FROM seal WHERE bucket >= ?1)",
                        STORE_VALUES(store_int(from)), e) != 0) {
        return -1;
    }
    *there = !row_is_null(&rows, 0);
    *bucket = row_int(&rows, 0);
    return 0;
}

static int
scrub_buckets(struct sealed *sealed, struct store_db *db, struct sealed_cursor *cursor, size_t max,
              size_t *seen, struct err *e)
{
    while (*seen < max) {
        int64_t bucket;
        bool there;
        size_t n = 0;

        if (next_bucket(db, cursor->bucket, &bucket, &there, e) != 0) {
            return -1;
        }
        if (!there) {
            cursor->rows = true;
            return 0;
        }
        if (bucket >= SEALED_BUCKETS) {
            return sealed_violation_all(sealed, "there is a bucket that is none", e);
        }
        if (bucket_check(sealed, db, (uint32_t)bucket, true, NULL, &n, e) != 0) {
            return -1;
        }
        *seen += n > 0 ? n : 1;
        cursor->bucket = (uint32_t)bucket + 1;
    }
    return 0;
}

static int
query_behind(struct store_db *db, const struct sealed_table *table, struct span key,
             struct store_rows *rows, struct err *e)
{
    struct store_value values[SEALED_KEYS_MAX];

    if (key.n == 0) {
        return store_query(db, rows, table->all, STORE_NO_VALUES, e);
    }
    if (!key_decode(key, values, table->keys)) {
        return err_set(e, ERR_INPUT, "not a position in %s", table->name);
    }
    return store_query(db, rows, table->behind, values, table->keys, e);
}

static int
scrub_rows(struct store_db *db, const struct sealed_table *table, struct sealed_cursor *cursor,
           size_t max, size_t *seen, bool *end, struct err *e)
{
    CLEANUP(store_end) struct store_rows rows = {0};
    struct store_value values[SEALED_KEYS_MAX];
    struct key key = {0};
    bool found;

    cursor->key.max = SEALED_KEY_OCTETS;
    *end = true;
    if (query_behind(db, table, buf_span(&cursor->key), &rows, e) != 0) {
        return -1;
    }
    while (*seen < max) {
        if (store_next(&rows, &found, e) != 0) {
            return -1;
        }
        if (!found) {
            return 0;
        }
        for (size_t i = 0; i < table->keys; i++) {
            values[i] = row_value(&rows, (int)i);
        }
        if (key_encode(values, table->keys, &key, e) != 0 ||
            sealed_row(db, table, values, table->keys, &found, e) != 0) {
            return -1;
        }
        (*seen)++;
    }
    *end = false;
    return key.n == 0 ? 0 : buf_set(&cursor->key, key_span(&key), e);
}

int
sealed_scrub(struct store_db *db, struct sealed_cursor *cursor, size_t max, size_t *seen, bool *end,
             struct err *e)
{
    struct sealed *sealed = sealed_of(db);

    *seen = 0;
    *end = false;
    if (sealed == NULL || sealed->state != SEALED_ON) {
        *end = true;
        return 0;
    }
    if (!cursor->rows && scrub_buckets(sealed, db, cursor, max, seen, e) != 0) {
        return -1;
    }
    while (cursor->rows && *seen < max && cursor->table < sealed->options.n) {
        bool over;

        if (scrub_rows(db, sealed->options.tables[cursor->table], cursor, max, seen, &over, e) !=
            0) {
            return -1;
        }
        if (over) {
            cursor->table++;
            buf_free(&cursor->key);
        }
    }
    if (cursor->rows && cursor->table >= sealed->options.n) {
        sealed_cursor_free(cursor);
        *end = true;
    }
    return 0;
}
