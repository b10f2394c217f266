/* SPDX-License-Identifier: Apache-2.0 */
/* All seals with their rows, and then all rows: is there one without a seal? */
#include "db/sealed/bucket.h"

#include <string.h>

void
sealed_cursor_free(struct sealed_cursor *cursor)
{
    buf_free(&cursor->key);
    *cursor = (struct sealed_cursor){0};
}

static int
scrub_seals(struct sealed *sealed, struct store_db *db, struct sealed_cursor *cursor, size_t max,
            size_t *seen, struct err *e)
{
    struct key from = {.n = cursor->key.n}; /* bound while the cursor goes on */
    CLEANUP(store_end) struct store_rows rows = {0};
    const struct sealed_table *table;
    struct seal seal;
    struct span key;
    bool row;

    cursor->key.max = SEALED_KEY_OCTETS;
    if (from.n > sizeof(from.octets)) {
        return err_set(e, ERR_INPUT, "not a position in the seals");
    }
    if (from.n > 0) {
        memcpy(from.octets, cursor->key.p, from.n);
    }
    if (store_query(db, &rows,
                    "SELECT bucket, tbl, key, leaf, mac FROM seal WHERE (bucket, tbl, key) > (?1, "
                    "?2, ?3) ORDER BY bucket, tbl, key",
                    STORE_VALUES(store_int(cursor->bucket), store_int((int64_t)cursor->table),
                                 store_blob(key_span(&from))),
                    e) != 0) {
        return -1;
    }
    while (*seen < max) {
        if (store_next(&rows, &row, e) != 0) {
            return -1;
        }
        if (!row) {
            store_end(&rows);
            sealed_cursor_free(cursor);
            cursor->rows = true;
            return 0;
        }
        if (seal_read(sealed, &rows, &table, &key, &seal, e) != 0 ||
            seal_check(sealed, db, table, key, &seal, false, e) != 0) {
            return -1;
        }
        cursor->bucket = seal.bucket;
        cursor->table = table->number;
        if (buf_set(&cursor->key, key, e) != 0) {
            return -1;
        }
        (*seen)++;
    }
    return 0;
}

/* A row that was compared in this
 * transaction may be another by now. */
static int
scrub_row(struct sealed *sealed, struct store_db *db, const struct sealed_table *table,
          struct span key, struct err *e)
{
    const struct noted *noted = noted_find(&sealed->noted, table, key);
    CLEANUP(row_end) struct row row = {0};
    uint8_t mac[MAC_SIZE];
    struct seal seal;
    bool there;

    if (noted != NULL && noted->compared) {
        return 0;
    }
    if (row_read(sealed, db, table, key, &row, e) != 0 ||
        (row.found && seal_load(db, table, row.bucket, key, &seal, &there, e) != 0)) {
        return -1;
    }
    if (!row.found) {
        return 0;
    }
    if (!there) {
        return sealed_violation(sealed, table, key, NO_SEAL, e);
    }
    if (row_mac(sealed, &row, seal.leaf, mac, e) != 0) {
        return -1;
    }
    return mac_equal(mac, seal.mac) ? 0 : sealed_violation(sealed, table, key, ROW_EDITED, e);
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
scrub_rows(struct sealed *sealed, struct store_db *db, const struct sealed_table *table,
           struct sealed_cursor *cursor, size_t max, size_t *seen, bool *end, struct err *e)
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
            scrub_row(sealed, db, table, key_span(&key), e) != 0) {
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
    if (!cursor->rows && scrub_seals(sealed, db, cursor, max, seen, e) != 0) {
        return -1;
    }
    while (cursor->rows && *seen < max && cursor->table < sealed->options.n) {
        bool over;

        if (scrub_rows(sealed, db, sealed->options.tables[cursor->table], cursor, max, seen, &over,
                       e) != 0) {
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
