/* SPDX-License-Identifier: Apache-2.0 */
/* May there be a certificate for this request, by what the database alone knows? Asked before it
 * waits for officers, and again before it is signed. */
#include <string.h>

#include "db/issuance/rows.h"

/* Is there a certificate left? */
static int
check_uses(struct store_db *db, const struct issuance_intent *i, int64_t used,
           struct issuance_place *place, enum issuance_outcome *outcome, struct err *e)
{
    if (issuance_judge_retry(db, i, place, outcome, e) != 0) {
        return -1;
    }
    if (*outcome == ISSUANCE_DONE && !place->is_retry && used >= i->certificates) {
        *outcome = ISSUANCE_USED_UP;
    }
    return 0;
}

static int
check_registration(struct store_db *db, const struct issuance_intent *i,
                   struct issuance_place *place, enum issuance_outcome *outcome, struct err *e)
{
    CLEANUP(store_end) struct store_rows rows = {0};
    bool row;
    bool live;
    bool open;

    if (store_query(db, &rows,
                    "SELECT state, not_before, not_after, used + (SELECT count(*) FROM pending p "
                    "WHERE p.registration = id AND p.open = 1 AND p.renews IS NULL AND p.rid <> "
                    "?3) FROM registration "
                    "WHERE id = ?1 AND nf_instance = ?2",
                    STORE_VALUES(store_text(i->registration), store_text(i->nf_instance),
                                 store_blob(i->rid)),
                    e) != 0 ||
        store_next(&rows, &row, e) != 0) {
        return -1;
    }
    live = row && row_int(&rows, 0) == ISSUANCE_LIVE;
    /* The window and the uses are those of initial certificates. */
    open =
        live && (i->renews.n > 0 || (row_int(&rows, 1) <= i->now && row_int(&rows, 2) >= i->now));
    if (!open) {
        *outcome = ISSUANCE_NOT_REGISTERED;
        return 0;
    }
    return i->renews.n > 0 ? 0 : check_uses(db, i, row_int(&rows, 3), place, outcome, e);
}

/* Is what signs it the proof of another registration, too? Then the RA alone says which it is. Two
 * cannot come to be live (life/registration.c), but for kinds of proofs that one certificate is,
 * and for what was registered before that was asked. */
static int
check_proof(struct store_db *db, const struct issuance_intent *i, enum issuance_outcome *outcome,
            struct err *e)
{
    bool shared;

    if (i->shows[0] == NULL) {
        return 0; /* a secret, or the holder of a certificate of ours */
    }
    if (store_has_row(db,
                      "SELECT 1 FROM registration WHERE proof IN (?1, ?2, ?3) AND state = 0 "
                      "AND not_after >= ?4 AND id <> ?5 LIMIT 1",
                      STORE_VALUES(store_text(i->shows[0]), store_text(i->shows[1]),
                                   store_text(i->shows[2]), store_int(i->now),
                                   store_text(i->registration)),
                      &shared, e) != 0) {
        return -1;
    }
    if (shared) {
        *outcome = ISSUANCE_PROOF_SHARED;
    }
    return 0;
}

static int
check_transaction(struct store_db *db, const struct issuance_intent *i,
                  enum issuance_outcome *outcome, struct err *e)
{
    CLEANUP(store_end) struct store_rows rows = {0};
    bool row;

    if (store_query(
            db, &rows,
            "SELECT 1 FROM request WHERE registration = ?1 AND transaction_id = ?2 UNION ALL "
            "SELECT 1 FROM again WHERE registration = ?1 AND transaction_id = ?2 UNION ALL "
            "SELECT 1 FROM pending WHERE registration = ?1 AND transaction_id = ?2 AND rid <> ?3",
            STORE_VALUES(store_text(i->registration), store_blob(i->transaction_id),
                         store_blob(i->rid)),
            e) != 0 ||
        store_next(&rows, &row, e) != 0) {
        return -1;
    }
    if (row) {
        *outcome = ISSUANCE_TRANSACTION_IN_USE;
    }
    return 0;
}

int
issuance_append_request(struct store_db *db, const struct issuance_intent *i, uint64_t *index,
                        struct err *e)
{
    CLEANUP(leaf_cleanup) struct leaf *leaf = leaf_new(LEAF_REQUEST, i->now);

    leaf_set_hex(leaf, "rid", i->rid);
    leaf_set_text(leaf, "registration", i->registration);
    leaf_set_text(leaf, "profile", i->profile);
    leaf_set_text(leaf, "assurance", i->assurance == ISSUANCE_SIGNATURE ? "signature" : "mac");
    leaf_set_int(leaf, "qseq", (int64_t)i->queue_sequence);
    if (i->approvals > 0) {
        leaf_set_int(leaf, "approvals", i->approvals);
    }
    if (i->made != 0) {
        leaf_set_time(leaf, "made", i->made);
        leaf_set_text(leaf, "madeBy", i->made_by_requester ? "requester" : "ra");
    }
    issuance_name_head(i, leaf);
    if (i->attested != NULL) {
        leaf_set_base64(leaf, "entry", i->attested->entry);
    }
    if (i->attested != NULL && i->attested->path.n > 0) {
        leaf_set_base64(leaf, "path", i->attested->path);
    }
    return issuance_append_head(db, i, e) != 0 ? -1 : ledger_append(db, leaf, index, e);
}

/* The rules for a network function's request, one after the other until one says no. */
static int
check_nf(struct store_db *db, const struct issuance_intent *i, struct issuance_place *place,
         enum issuance_outcome *outcome, struct err *e)
{
    bool ours;

    if (issuance_is_ours(db, i->ra_der, ISSUANCE_RA, &ours, e) != 0) {
        return -1;
    }
    if (!ours) {
        *outcome = ISSUANCE_SIGNER_UNKNOWN;
        return 0;
    }
    if (issuance_check_holder(db, i, outcome, e) != 0 ||
        (*outcome == ISSUANCE_DONE && check_registration(db, i, place, outcome, e) != 0) ||
        (*outcome == ISSUANCE_DONE && check_proof(db, i, outcome, e) != 0) ||
        (*outcome == ISSUANCE_DONE && check_transaction(db, i, outcome, e) != 0)) {
        return -1;
    }
    return *outcome == ISSUANCE_DONE ? issuance_judge_renewal(db, i, &place->former, outcome, e)
                                     : 0;
}

int
issuance_admissible(struct store_db *db, const struct issuance_intent *i,
                    struct issuance_place *place, enum issuance_outcome *outcome, struct err *e)
{
    bool known;

    *place = (struct issuance_place){0};
    *outcome = ISSUANCE_DONE;
    if (issuance_is_known(db, i->rid, &known, e) != 0) {
        return -1;
    }
    if (known || i->registration == NULL) {
        *outcome = known ? ISSUANCE_KNOWN : ISSUANCE_DONE;
        return 0;
    }
    return check_nf(db, i, place, outcome, e);
}
