/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Do the rows say what the record says? Whoever can write the file can write rows; the leaves are
 * under a signed checkpoint. So what a row could be edited for (one more use, a registration or a
 * signer that is alive again) is compared with the leaves at every start.
 */
#include <string.h>

#include "db/issuance/rows.h"
#include "db/ledger/leaf.h"

enum { BLOB_MAX = 64 };

struct seen {
    int64_t registrations;
    int64_t intents;
    int64_t certificates;
    int64_t crls;
    int64_t pending;
    int64_t approvals;
    int64_t again;
};

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
check_pending(struct store_db *db, const struct leaf *leaf, struct seen *seen, struct err *e)
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

static int
check_leaf(struct store_db *db, struct span body, struct seen *seen, struct err *e)
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
    case LEAF_START:
    case LEAF_STOP:
    case LEAF_CONFIG:
    case LEAF_REFUSAL:
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

static int
check_leaves(struct store_db *db, struct seen *seen, struct err *e)
{
    CLEANUP(store_end) struct store_rows rows = {0};
    bool row = true;

    if (store_query(db, &rows, "SELECT idx, body FROM leaf ORDER BY idx", STORE_NO_VALUES, e) !=
        0) {
        return -1;
    }
    while (store_next(&rows, &row, e) == 0) {
        if (!row) {
            return 0;
        }
        if (check_leaf(db, row_blob(&rows, 1), seen, e) != 0) {
            return err_wrap(e, "leaf %lld", (long long)row_int(&rows, 0));
        }
    }
    return -1;
}

/* With one row for each leaf, as many rows as leaves are exactly those. */
static int
check_counts(struct store_db *db, const struct seen *seen, struct err *e)
{
    CLEANUP(store_end) struct store_rows rows = {0};

    if (store_query_one(db, &rows,
                        "SELECT (SELECT count(*) FROM registration), "
                        "(SELECT count(*) FROM request WHERE serial IS NOT NULL), "
                        "(SELECT count(*) FROM certificate), "
                        "(SELECT count(*) FROM crl WHERE der IS NOT NULL), "
                        "(SELECT count(*) FROM pending), (SELECT count(*) FROM approval), "
                        "(SELECT count(*) FROM again)",
                        STORE_NO_VALUES, e) != 0) {
        return -1;
    }
    if (row_int(&rows, 0) != seen->registrations || row_int(&rows, 1) != seen->intents ||
        row_int(&rows, 2) != seen->certificates || row_int(&rows, 3) != seen->crls ||
        row_int(&rows, 4) != seen->pending || row_int(&rows, 5) != seen->approvals ||
        row_int(&rows, 6) != seen->again) {
        return err_set(e, ERR_STORE, "ca.db has rows that the record has not");
    }
    return 0;
}

static int
check_uses(struct store_db *db, struct err *e)
{
    CLEANUP(store_end) struct store_rows rows = {0};
    bool row;

    if (store_query(
            db, &rows,
            "SELECT g.id FROM registration g WHERE g.used <> (SELECT count(*) FROM request "
            "q WHERE q.registration = g.id AND q.renews IS NULL AND q.instead_of IS NULL AND "
            "q.state IN (0, 1, 3, 4)) "
            "LIMIT 1",
            STORE_NO_VALUES, e) != 0 ||
        store_next(&rows, &row, e) != 0) {
        return -1;
    }
    return row ? err_set(e, ERR_STORE,
                         "registration %s was used another number of times than ca.db says",
                         row_text(&rows, 0))
               : 0;
}

/* What is not recorded again, since it is there. */
static int
check_heads(struct store_db *db, struct err *e)
{
    CLEANUP(store_end) struct store_rows rows = {0};
    bool row = true;

    if (store_query(db, &rows,
                    "SELECT lower(hex(h.hash)), lower(hex(h.ra)), l.body FROM queue_head h LEFT "
                    "JOIN leaf l ON l.idx = h.leaf",
                    STORE_NO_VALUES, e) != 0) {
        return -1;
    }
    while (store_next(&rows, &row, e) == 0) {
        CLEANUP(leaf_cleanup) struct leaf *leaf = NULL;

        if (!row) {
            return 0;
        }
        leaf = leaf_parse(row_blob(&rows, 2), e);
        if (leaf == NULL || leaf_kind(leaf) != LEAF_QUEUE_HEAD ||
            strcmp(leaf_text(leaf, "head"), row_text(&rows, 0)) != 0 ||
            strcmp(leaf_text(leaf, "ra"), row_text(&rows, 1)) != 0) {
            return err_set(e, ERR_STORE, "ca.db has a head of a queue that the record has not");
        }
    }
    return -1;
}

int
issuance_check(struct store_db *db, struct err *e)
{
    struct seen seen = {0};

    if (check_leaves(db, &seen, e) != 0 || check_counts(db, &seen, e) != 0 ||
        check_heads(db, e) != 0 || check_uses(db, e) != 0) {
        return err_wrap(e, "the database does not agree with its record: it was edited");
    }
    return 0;
}
