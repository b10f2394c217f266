/* SPDX-License-Identifier: Apache-2.0 */
/* What the transaction changed gets its seals, and all of them their head, as it is at its end. */
#include "db/sealed/before.h"
#include "db/sealed/bucket.h"
#include "db/sealed/head.h"
#include "db/sealed/term.h"

/* Into the sum over all of them, or out of it. */
static int
add_term(struct sealed *sealed, const struct noted *noted, const struct seal *seal, struct err *e)
{
    return term_seal(sealed, seal, noted->table->number, span_of(noted->key, noted->n),
                     sealed->head.sum, e);
}

/* A row that is there now. */
static int
seal_row(struct sealed *sealed, struct store_db *db, const struct noted *noted,
         const struct row *row, struct err *e)
{
    struct seal seal = {.bucket = row->bucket, .leaf = sealed->head.leaves};
    /* Its key was deleted and given again, to a row of another owner: its old term is out already.
     */
    const bool moved = noted->was && noted->seal.bucket != row->bucket;
    struct seal other;
    bool there = false;

    if (moved && seal_remove(db, noted->table, row->key, &noted->seal, e) != 0) {
        return -1;
    }
    /* Of one that is by_key it is known. */
    if ((!noted->was || moved) && !noted->table->by_key &&
        seal_load(db, noted->table, row->bucket, row->key, &other, &there, e) != 0) {
        return -1;
    }
    if (there) {
        return sealed_violation(sealed, noted->table, row->key, "was deleted before", e);
    }
    return row_mac(sealed, row, seal.leaf, seal.mac, e) != 0 ||
                   seal_store(db, noted->table, row->key, &seal, e) != 0
               ? -1
               : add_term(sealed, noted, &seal, e);
}

static int
settle_row(struct sealed *sealed, struct store_db *db, const struct noted *noted, struct err *e)
{
    const struct span key = span_of(noted->key, noted->n);
    CLEANUP(row_end) struct row row = {0};

    if (row_read(sealed, db, noted->table, key, &row, e) != 0 ||
        (noted->was && add_term(sealed, noted, &noted->seal, e) != 0)) {
        return -1;
    }
    sealed->head.rows += row.found ? 1 : 0;
    sealed->head.rows -= noted->was ? 1 : 0;
    if (row.found) {
        return seal_row(sealed, db, noted, &row, e);
    }
    return noted->was ? seal_remove(db, noted->table, key, &noted->seal, e) : 0;
}

static int
settle_rows(struct sealed *sealed, struct store_db *db, struct err *e)
{
    for (const struct noted *n = sealed->noted.first; n != NULL; n = n->next) {
        if (n->changed && settle_row(sealed, db, n, e) != 0) {
            return -1;
        }
    }
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
    if (sealed->older && before_remove(db, e) != 0) {
        return -1;
    }
    if (!changes && !sealed->fresh && !sealed->older && leaves == sealed->head.leaves) {
        return 0;
    }
    sealed->head.leaves = leaves;
    sealed->fresh = false;
    sealed->older = false;
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
        memset(sealed->checked, 0, SEALED_BUCKETS / 8);
        seen_end(&sealed->owners);
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
