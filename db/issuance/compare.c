/* SPDX-License-Identifier: Apache-2.0 */
#include "db/issuance/compare.h"

#include <string.h>

#include "db/issuance/rows.h"
#include "db/ledger/leaf.h"
#include "db/sealed/sealed.h"

enum { BLOB_MAX = 64 };

/* A time, as seconds; NULL when it is missing. */
static struct store_value
time_member(const struct leaf *leaf, const char *name)
{
    const char *text = leaf_text(leaf, name);
    time_t at;
    struct err e;

    return text != NULL && time_parse(text, &at, &e) == 0 ? store_int(at) : store_null();
}

/* The hex member as octets. */
static int
member(const struct leaf *leaf, const char *name, uint8_t *out, size_t max, struct span *span,
       struct err *e)
{
    const char *text = leaf_text(leaf, name);
    size_t n = text == NULL ? 0 : strlen(text) / 2;

    if (n == 0 || n > max || hex_parse(text, out, n, e) != 0) {
        return err_set(e, ERR_STORE, "a leaf without %s", name);
    }
    *span = span_of(out, n);
    return 0;
}

static int
need_row(struct store_db *db, const char *sql, const struct store_value *values, size_t n,
         const char *what, struct err *e)
{
    CLEANUP(store_end) struct store_rows rows = {0};
    bool row;

    if (store_query(db, &rows, sql, values, n, e) != 0 || store_next(&rows, &row, e) != 0) {
        return -1;
    }
    return row ? 0
               : err_set(e, ERR_STORE,
                         "the record has %s that ca.db has not, or has in another state", what);
}

static int
check_registration(struct store_db *db, const struct leaf *leaf, bool cancelled, struct err *e)
{
    const char *id = leaf_text(leaf, "registration");

    if (cancelled) {
        return need_row(db, "SELECT 1 FROM registration WHERE id = ?1 AND state = 1",
                        STORE_VALUES(store_text(id)), "a cancellation", e);
    }
    return need_row(db,
                    "SELECT 1 FROM registration WHERE id = ?1 AND nf_instance = ?2 "
                    "AND supersedes IS ?3",
                    STORE_VALUES(store_text(id), store_text(leaf_text(leaf, "nfInstanceId")),
                                 store_text(leaf_text(leaf, "supersedes"))),
                    "a registration", e);
}

static int
check_intent(struct store_db *db, const struct leaf *leaf, struct span rid, struct span serial,
             struct err *e)
{
    return need_row(
        db,
        "SELECT 1 FROM request WHERE rid = ?1 AND serial = ?2 AND registration IS ?3 "
        "AND lower(hex(renews)) = coalesce(?4, ?5, '') AND is_update = (?4 IS NOT NULL) "
        "AND lower(hex(profile_file)) = coalesce(?6, '') "
        "AND (renews IS NULL OR message_time IS ?7) "
        "AND coalesce(not_before, created) IS ?8 AND not_after IS ?9 "
        "AND lower(hex(instead_of)) = coalesce(?10, '')",
        STORE_VALUES(store_blob(rid), store_blob(serial),
                     store_text(leaf_text(leaf, "registration")),
                     store_text(leaf_text(leaf, "updates")), store_text(leaf_text(leaf, "renews")),
                     store_text(leaf_text(leaf, "profileFile")), time_member(leaf, "messageTime"),
                     time_member(leaf, "notBefore"), time_member(leaf, "notAfter"),
                     store_text(leaf_text(leaf, "insteadOf"))),
        "an intent", e);
}

static int
check_request(struct store_db *db, const struct leaf *leaf, struct err *e)
{
    uint8_t rid_octets[BLOB_MAX];
    uint8_t serial_octets[BLOB_MAX];
    struct span rid;
    struct span serial;

    if (member(leaf, "rid", rid_octets, sizeof(rid_octets), &rid, e) != 0 ||
        member(leaf, "serial", serial_octets, sizeof(serial_octets), &serial, e) != 0) {
        return -1;
    }
    if (leaf_kind(leaf) == LEAF_INTENT) {
        return check_intent(db, leaf, rid, serial, e);
    }
    return need_row(db,
                    "SELECT 1 FROM request q JOIN certificate c ON c.rid = q.rid "
                    "WHERE q.rid = ?1 AND c.serial = ?2 AND q.state IN (1, 3, 4)",
                    STORE_VALUES(store_blob(rid), store_blob(serial)), "a certificate", e);
}

static int
check_revocation(struct store_db *db, const struct leaf *leaf, struct err *e)
{
    uint8_t octets[BLOB_MAX];
    struct span serial;

    if (member(leaf, "serial", octets, sizeof(octets), &serial, e) != 0) {
        return -1;
    }
    return need_row(
        db,
        "SELECT 1 FROM revocation WHERE serial = ?1 AND (?2 IS NULL OR EXISTS (SELECT 1 "
        "FROM revocation_request WHERE serial = ?1 AND lower(hex(rid)) = ?2)) "
        "AND revoked = ?3 AND crl_date IS ?4 AND reason = ?5",
        STORE_VALUES(store_blob(serial), store_text(leaf_text(leaf, "rr")),
                     store_int(leaf_time(leaf)), time_member(leaf, "revocationDate"),
                     store_int(leaf_int(leaf, "reason", 0))),
        "a revocation", e);
}

/* A request that waits has a row; others have none before their intent. */
static int
check_pending(struct store_db *db, const struct leaf *leaf, struct compare_seen *seen,
              struct err *e)
{
    uint8_t octets[BLOB_MAX];
    struct span rid;
    int64_t approvals = leaf_int(leaf, "approvals", 0);

    if (approvals == 0) {
        return 0;
    }
    seen->pending++;
    return member(leaf, "rid", octets, sizeof(octets), &rid, e) != 0
               ? -1
               : need_row(db,
                          "SELECT 1 FROM pending WHERE rid = ?1 AND registration = ?2 AND "
                          "approvals = ?3",
                          STORE_VALUES(store_blob(rid), store_text(leaf_text(leaf, "registration")),
                                       store_int(approvals)),
                          "a pending request", e);
}

static int
check_approval(struct store_db *db, const struct leaf *leaf, struct err *e)
{
    uint8_t rid_octets[BLOB_MAX];
    uint8_t officer_octets[BLOB_MAX];
    struct span rid;
    struct span officer;

    if (member(leaf, "rid", rid_octets, sizeof(rid_octets), &rid, e) != 0 ||
        member(leaf, "officer", officer_octets, sizeof(officer_octets), &officer, e) != 0) {
        return -1;
    }
    return need_row(
        db, "SELECT 1 FROM approval WHERE rid = ?1 AND officer = ?2 AND approves = ?3",
        STORE_VALUES(store_blob(rid), store_blob(officer),
                     store_int(strcmp(leaf_text(leaf, "decision"), "approve") == 0 ? 1 : 0)),
        "an approval", e);
}

/* By its network function: then it counts against what that asks for next. */
static int
check_rejection(struct store_db *db, const struct leaf *leaf, struct err *e)
{
    return leaf_text(leaf, "registration") == NULL
               ? 0
               : need_row(db,
                          "SELECT 1 FROM request q JOIN confirmation c ON c.request = q.rid WHERE "
                          "lower(hex(q.serial)) = ?1 AND q.registration = ?2 AND q.state = 4 AND "
                          "c.accepted = 0",
                          STORE_VALUES(store_text(leaf_text(leaf, "serial")),
                                       store_text(leaf_text(leaf, "registration"))),
                          "a rejection", e);
}

static int
check_again(struct store_db *db, const struct leaf *leaf, struct err *e)
{
    uint8_t octets[BLOB_MAX];
    struct span rid;

    if (member(leaf, "again", octets, sizeof(octets), &rid, e) != 0) {
        return -1;
    }
    return need_row(db,
                    "SELECT 1 FROM again a JOIN request q ON q.rid = a.request WHERE a.rid = ?1 "
                    "AND lower(hex(a.request)) = ?2 AND lower(hex(q.serial)) = ?3 "
                    "AND a.registration = ?4 AND a.message_time = ?5",
                    STORE_VALUES(store_blob(rid), store_text(leaf_text(leaf, "rid")),
                                 store_text(leaf_text(leaf, "serial")),
                                 store_text(leaf_text(leaf, "registration")),
                                 time_member(leaf, "messageTime")),
                    "an answer that was given again", e);
}

/* Whoever takes all seals away does not have rows that never had any. */
static int
check_sealed(struct store_db *db, struct err *e)
{
    switch (sealed_state(db)) {
    case SEALED_CLOSED: /* nobody asks here for seals */
    case SEALED_ON:
        return 0;
    case SEALED_NO_KEY:
    case SEALED_NOT_YET:
        break;
    }
    return err_set(
        e, ERR_STALE,
        "the record says that rows are sealed, and ca.db has no seals: they were deleted, "
        "or ca.db is another; see nfpki-ca(8)");
}

int
compare_leaf(struct store_db *db, struct span body, struct compare_seen *seen, struct err *e)
{
    CLEANUP(leaf_cleanup) struct leaf *leaf = leaf_parse(body, e);

    if (leaf == NULL) {
        return -1;
    }
    switch (leaf_kind(leaf)) {
    case LEAF_REGISTRATION:
        seen->registrations++;
        return check_registration(db, leaf, false, e);
    case LEAF_CANCEL:
        return check_registration(db, leaf, true, e);
    case LEAF_INTENT:
        seen->intents++;
        return check_request(db, leaf, e);
    case LEAF_ISSUED:
        seen->certificates++;
        return check_request(db, leaf, e);
    case LEAF_REVOKED:
        seen->revocations++;
        return check_revocation(db, leaf, e);
    case LEAF_CRL:
        seen->crls++;
        return 0;
    case LEAF_REQUEST:
        return check_pending(db, leaf, seen, e);
    case LEAF_APPROVAL:
        seen->approvals++;
        return check_approval(db, leaf, e);
    case LEAF_REJECTED:
        return check_rejection(db, leaf, e);
    case LEAF_AGAIN:
        seen->again++;
        return check_again(db, leaf, e);
    case LEAF_REFUSAL:
        seen->refusals++;
        return 0;
    case LEAF_SEALED:
        return check_sealed(db, e);
    case LEAF_START:
    case LEAF_STOP:
    case LEAF_CONFIG:
    case LEAF_CONFIRMED:
    case LEAF_RECOVERED:
    case LEAF_CEREMONY:
    case LEAF_CRL_INTENT:
    case LEAF_QUEUE_HEAD:
    case LEAF_KINDS:
        break;
    }
    return 0;
}
