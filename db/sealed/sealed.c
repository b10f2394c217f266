/* SPDX-License-Identifier: Apache-2.0 */
#include "db/sealed/sealed.h"

#include "base/ossl.h"

struct sealed {
    struct sealed_options options;
    struct buf key;
    enum sealed_state state;
};

void
sealed_free(struct sealed *sealed)
{
    if (sealed != NULL) {
        buf_free(&sealed->key);
        mem_free(sealed);
    }
}

struct sealed *
sealed_new(const struct sealed_options *options, struct err *e)
{
    CLEANUP(sealed_cleanup) struct sealed *sealed = mem_new(sizeof(*sealed));

    sealed->options = *options;
    sealed->key = BUF_SECRET(SEALED_KEY_SIZE);
    return buf_set(&sealed->key, options->key, e) != 0 ? NULL : TAKE(sealed);
}

int
sealed_settle(void *context, struct store_db *db, struct err *e)
{
    (void)context;
    (void)db;
    (void)e;
    return 0;
}

int
sealed_open(struct store_db *db, enum sealed_state *state, struct err *e)
{
    (void)db;
    (void)e;
    *state = SEALED_NO_KEY;
    return 0;
}

int
sealed_count(struct store_db *db, uint64_t *rows, struct err *e)
{
    (void)db;
    (void)e;
    *rows = 0;
    return 0;
}

int
sealed_begin(struct store_db *db, uint64_t *rows, struct err *e)
{
    (void)db;
    *rows = 0;
    return err_set(e, ERR_DENIED, "rows are not sealed yet");
}

int
sealed_row(struct store_db *db, const struct sealed_table *table, const struct store_value *key,
           size_t n, bool *found, struct err *e)
{
    return store_has_row(db, table->row, key, n, found, e);
}

int
sealed_owner(struct store_db *db, unsigned owners, struct store_value owner, struct err *e)
{
    (void)db;
    (void)owners;
    (void)owner;
    (void)e;
    return 0;
}

int
sealed_change(struct store_db *db, const struct sealed_table *table, const struct store_value *key,
              size_t n, struct err *e)
{
    (void)db;
    (void)table;
    (void)key;
    (void)n;
    (void)e;
    return 0;
}

int
sealed_made(struct store_db *db, const struct sealed_table *table, const struct store_value *key,
            size_t n, struct err *e)
{
    return sealed_change(db, table, key, n, e);
}

void
sealed_cursor_free(struct sealed_cursor *cursor)
{
    buf_free(&cursor->key);
}

int
sealed_scrub(struct store_db *db, struct sealed_cursor *cursor, size_t max, size_t *seen, bool *end,
             struct err *e)
{
    (void)db;
    (void)cursor;
    (void)max;
    (void)e;
    *seen = 0;
    *end = true;
    return 0;
}

enum sealed_state
sealed_state(const struct store_db *db)
{
    return store_context(db) == NULL ? SEALED_CLOSED : SEALED_NO_KEY;
}

uint64_t
sealed_rows(const struct store_db *db)
{
    (void)db;
    return 0;
}
