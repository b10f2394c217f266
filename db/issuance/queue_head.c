/* SPDX-License-Identifier: Apache-2.0 */
/* The head that an RA signed over its queue is in the record before the first leaf that rests on
 * it: once a day for each that something rests on, and again when another certificate of the RA's
 * stands for it. So who verifies a leaf need not look further back than that. */
#include <assert.h>

#include "db/issuance/role.h"
#include "db/issuance/rows.h"

enum { OLD_MAX = 16 };

static int
is_there(struct store_db *db, const struct issuance_intent *i, struct span ra, bool *there,
         struct err *e)
{
    return store_has_row(db,
                         "SELECT 1 FROM queue_head WHERE hash = ?1 AND ra = ?2 AND recorded > ?3",
                         STORE_VALUES(store_blob(i->queue_previous), store_blob(ra),
                                      store_int(i->now - LEAF_HEAD_AGE_MAX)),
                         there, e);
}

void
issuance_name_head(const struct issuance_intent *i, struct leaf *leaf)
{
    if (i->attested != NULL) {
        leaf_set_hex(leaf, "head", i->queue_previous);
    }
}

static int
append(struct store_db *db, const struct issuance_intent *i, struct span ra, uint64_t *index,
       struct err *e)
{
    CLEANUP(leaf_cleanup) struct leaf *leaf = leaf_new(LEAF_QUEUE_HEAD, i->now);

    issuance_name_head(i, leaf);
    leaf_set_base64(leaf, "text", i->attested->head);
    leaf_set_base64(leaf, "signature", i->attested->signature);
    leaf_set_hex(leaf, "ra", ra);
    return ledger_append(db, leaf, index, e);
}

/* The oldest that nothing may rest on any more. */
static int
find_old(struct store_db *db, const struct issuance_intent *i, uint8_t hash[SHA256_SIZE],
         bool *found, struct err *e)
{
    CLEANUP(store_end) struct store_rows rows = {0};

    if (store_query(db, &rows,
                    "SELECT hash FROM queue_head WHERE recorded < ?1 ORDER BY recorded LIMIT 1",
                    STORE_VALUES(store_int(i->now - LEAF_HEAD_AGE_MAX)), e) != 0 ||
        store_next(&rows, found, e) != 0) {
        return -1;
    }
    return *found ? row_copy_octets(&rows, 0, hash, SHA256_SIZE, e) : 0;
}

static int
forget(struct store_db *db, struct span hash, struct err *e)
{
    return store_exec(db, "DELETE FROM queue_head WHERE hash = ?1", STORE_VALUES(store_blob(hash)),
                      e);
}

/* A few at a time: none comes without some going. */
static int
forget_old(struct store_db *db, const struct issuance_intent *i, struct err *e)
{
    uint8_t hash[SHA256_SIZE];
    bool found = true;

    for (int n = 0; n < OLD_MAX; n++) {
        if (find_old(db, i, hash, &found, e) != 0) {
            return -1;
        }
        if (!found) {
            break;
        }
        if (forget(db, span_of(hash, sizeof(hash)), e) != 0) {
            return -1;
        }
    }
    return forget(db, i->queue_previous, e);
}

int
issuance_append_head(struct store_db *db, const struct issuance_intent *i, struct err *e)
{
    struct span ra;
    uint64_t index;
    bool is_certificate;
    bool there;

    if (i->attested == NULL) {
        return 0; /* wrapped by itself, as RAs did before */
    }
    is_certificate = issuance_serial_of(i->ra_der, &ra);
    assert(is_certificate); /* it is one of ours, by the same octets */
    if (is_there(db, i, ra, &there, e) != 0) {
        return -1;
    }
    if (there) {
        return 0;
    }
    return append(db, i, ra, &index, e) != 0 || forget_old(db, i, e) != 0 ||
                   store_exec(
                       db,
                       "INSERT INTO queue_head(hash, ra, recorded, leaf) VALUES(?1, ?2, ?3, ?4)",
                       STORE_VALUES(store_blob(i->queue_previous), store_blob(ra),
                                    store_int(i->now), store_int((int64_t)index)),
                       e) != 0
               ? -1
               : 0;
}
