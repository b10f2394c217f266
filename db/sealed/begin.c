/* SPDX-License-Identifier: Apache-2.0 */
/* All rows that there are get their seals, or lose them. */
#include "db/sealed/bucket.h"
#include "db/sealed/head.h"
#include "db/sealed/term.h"

/* What is done with each row. */
typedef int (*with_row)(void *arg, const struct sealed_table *, struct span key, struct err *e);

static int
each_row_of(struct store_db *db, const struct sealed_table *table, with_row visit, void *arg,
            struct err *e)
{
    CLEANUP(store_end) struct store_rows rows = {0};
    struct store_value values[SEALED_KEYS_MAX];
    struct key key;
    bool row;

    if (store_query(db, &rows, table->all, STORE_NO_VALUES, e) != 0 ||
        store_next(&rows, &row, e) != 0) {
        return -1;
    }
    while (row) {
        for (size_t i = 0; i < table->keys; i++) {
            values[i] = row_value(&rows, (int)i);
        }
        if (key_encode(values, table->keys, &key, e) != 0 ||
            visit(arg, table, key_span(&key), e) != 0 || store_next(&rows, &row, e) != 0) {
            return -1;
        }
    }
    return 0;
}

static int
each_row(const struct sealed *sealed, struct store_db *db, with_row visit, void *arg, struct err *e)
{
    for (size_t i = 0; i < sealed->options.n; i++) {
        if (each_row_of(db, sealed->options.tables[i], visit, arg, e) != 0) {
            return -1;
        }
    }
    return 0;
}

static int
count_row(void *arg, const struct sealed_table *table, struct span key, struct err *e)
{
    uint64_t *rows = arg;

    (void)table;
    (void)key;
    (void)e;
    (*rows)++;
    return 0;
}

int
sealed_count(struct store_db *db, uint64_t *rows, struct err *e)
{
    const struct sealed *sealed = sealed_of(db);

    *rows = 0;
    return sealed == NULL ? 0 : each_row(sealed, db, count_row, rows, e);
}

struct beginning {
    struct sealed *sealed;
    struct store_db *db;
};

static int
seal_row(void *arg, const struct sealed_table *table, struct span key, struct err *e)
{
    struct beginning *b = arg;
    struct sealed *sealed = b->sealed;
    CLEANUP(row_end) struct row row = {0};
    struct seal seal = {.leaf = sealed->head.leaves};

    if (row_read(sealed, b->db, table, key, &row, e) != 0) {
        return -1;
    }
    if (!row.found) {
        return err_set(e, ERR_STORE, "a row of %s is not found by its key", table->name);
    }
    seal.bucket = row.bucket;
    if (row_mac(sealed, &row, seal.leaf, seal.mac, e) != 0 ||
        seal_store(b->db, table, key, &seal, e) != 0) {
        return -1;
    }
    sealed->head.rows++;
    return term_seal(sealed, &seal, table->number, key, sealed->head.sum, e);
}

int
sealed_begin(struct store_db *db, uint64_t *rows, struct err *e)
{
    struct sealed *sealed = sealed_of(db);
    struct beginning b = {.sealed = sealed, .db = db};

    if (sealed == NULL || sealed->state != SEALED_NOT_YET) {
        return err_set(e, ERR_CONFLICT, "rows are sealed, or there is no key for it");
    }
    /* What fails below is taken back by sealed_settle(), as the transaction takes back its part. */
    sealed->fresh = true;
    sealed->state = SEALED_ON;
    sealed->head = (struct head){0};
    if (head_leaves(sealed, db, true, &sealed->head.leaves, e) != 0 ||
        each_row(sealed, db, seal_row, &b, e) != 0) {
        return -1;
    }
    *rows = sealed->head.rows;
    return head_store(sealed, db, e);
}

int
sealed_end(struct store_db *db, struct err *e)
{
    struct sealed *sealed = sealed_of(db);

    if (store_exec(db, "DELETE FROM seal", STORE_NO_VALUES, e) != 0 ||
        store_exec(db, "DELETE FROM seal_bucket", STORE_NO_VALUES, e) != 0 ||
        store_exec(db, "DELETE FROM seal_head", STORE_NO_VALUES, e) != 0) {
        return -1;
    }
    if (sealed == NULL) {
        return 0;
    }
    sealed->state = SEALED_ENDED;
    sealed->older = false;
    sealed->head = (struct head){0};
    if (sealed->checked != NULL) {
        memset(sealed->checked, 0, SEALED_BUCKETS / 8);
    }
    seen_end(&sealed->owners);
    return 0;
}
