/* SPDX-License-Identifier: Apache-2.0 */
#include "db/issuance/rows.h"

int
issuance_confirmation_find(struct store_db *db, struct span rid, uint64_t *leaf, bool *found,
                           struct err *e)
{
    CLEANUP(store_end) struct store_rows rows = {0};

    if (store_query(db, &rows, "SELECT leaf FROM confirmation WHERE rid = ?1",
                    STORE_VALUES(store_blob(rid)), e) != 0 ||
        store_next(&rows, found, e) != 0) {
        return -1;
    }
    *leaf = *found ? (uint64_t)row_int(&rows, 0) : 0;
    return 0;
}

static int
append_confirmed(struct store_db *db, const struct issuance_request *q,
                 const struct issuance_confirmation *c, uint64_t *index, struct err *e)
{
    CLEANUP(leaf_cleanup) struct leaf *leaf = leaf_new(LEAF_CONFIRMED, c->when.now);

    leaf_set_hex(leaf, "rid", span_of(q->rid, sizeof(q->rid)));
    leaf_set_hex(leaf, "serial", span_of(q->serial, sizeof(q->serial)));
    leaf_set_hex(leaf, "certConf", c->rid);
    return ledger_append(db, leaf, index, e);
}

static int
is_initial(struct store_db *db, struct span rid, bool *initial, struct err *e)
{
    return store_has_row(db, "SELECT 1 FROM request WHERE rid = ?1 AND renews IS NULL",
                         STORE_VALUES(store_blob(rid)), initial, e);
}

/* What a network function does not want is no use to it, and perhaps some to somebody else. */
static int
reject(struct store_db *db, const struct issuance_request *q, const struct issuance_confirmation *c,
       uint64_t *leaf, struct err *e)
{
    time_t not_after;
    bool initial;

    if (is_initial(db, c->request, &initial, e) != 0 ||
        issuance_append_rejected(db, q, initial, c->rid, c->reason, c->when.now, leaf, e) != 0) {
        return -1;
    }
    if (q->revoked) {
        return 0;
    }
    if (issuance_not_after(db, c->request, &not_after, e) != 0) {
        return -1;
    }
    return issuance_revoke_row(db, span_of(q->serial, sizeof(q->serial)), not_after,
                               ISSUANCE_CESSATION, "certConf", c->when, leaf, e);
}

/* What stands in the way, if anything. */
static int
decide(struct store_db *db, const struct issuance_confirmation *c, struct issuance_request *q,
       uint64_t *leaf, enum issuance_outcome *outcome, struct err *e)
{
    bool known;
    bool found;
    bool ours;
    bool may = true;

    if (issuance_confirmation_find(db, c->rid, leaf, &known, e) != 0 ||
        issuance_is_ours(db, c->ra_der, ISSUANCE_RA, &ours, e) != 0 ||
        issuance_find(db, c->request, q, &found, e) != 0 ||
        (found && c->accepted && issuance_may_confirm(db, q, &may, e) != 0)) {
        return -1;
    }
    *outcome = known                                   ? ISSUANCE_KNOWN
               : !ours                                 ? ISSUANCE_SIGNER_UNKNOWN
               : !found || q->state != ISSUANCE_ISSUED ? ISSUANCE_CLOSED
               : !may || (q->revoked && c->accepted)   ? ISSUANCE_HOLDER_REVOKED
                                                       : ISSUANCE_DONE;
    return 0;
}

static int
confirmed(struct store_db *db, const struct issuance_request *q,
          const struct issuance_confirmation *c, uint64_t *leaf, bool *revoked, struct err *e)
{
    if (append_confirmed(db, q, c, leaf, e) != 0) {
        return -1;
    }
    return issuance_supersede(db, q, c->when, revoked, e);
}

int
issuance_confirm(struct store_db *db, const struct issuance_confirmation *c, uint64_t *leaf,
                 bool *revoked, enum issuance_outcome *outcome, struct err *e)
{
    CLEANUP(issuance_request_free) struct issuance_request q = {0};
    CLEANUP(buf_free) struct buf evidence = {0};

    *revoked = false;
    if (decide(db, c, &q, leaf, outcome, e) != 0) {
        return -1;
    }
    if (*outcome != ISSUANCE_DONE) {
        return 0;
    }
    *revoked = !c->accepted;
    if ((c->accepted ? confirmed(db, &q, c, leaf, revoked, e) : reject(db, &q, c, leaf, e)) != 0) {
        return -1;
    }
    if (packed_make(db, "confirmation", c->evidence, &evidence, e) != 0 ||
        store_exec(db,
                   "INSERT INTO confirmation(rid, request, accepted, evidence, created, leaf) "
                   "VALUES(?1, ?2, ?3, ?4, ?5, ?6)",
                   STORE_VALUES(store_blob(c->rid), store_blob(c->request),
                                store_int(c->accepted ? 1 : 0), store_blob(buf_span(&evidence)),
                                store_int(c->when.now), store_int((int64_t)*leaf)),
                   e) != 0) {
        return -1;
    }
    return issuance_advance(db, c->request, ISSUANCE_ISSUED,
                            c->accepted ? ISSUANCE_CONFIRMED : ISSUANCE_REJECTED, *leaf, e);
}

int
issuance_evidence(struct store_db *db, struct span rid, struct buf *out, struct err *e)
{
    CLEANUP(store_end) struct store_rows rows = {0};

    if (store_query_one(db, &rows, "SELECT unpacked(evidence) FROM request WHERE rid = ?1",
                        STORE_VALUES(store_blob(rid)), e) != 0) {
        return -1;
    }
    return buf_set(out, row_blob(&rows, 0), e);
}
