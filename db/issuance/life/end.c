/* SPDX-License-Identifier: Apache-2.0 */
/* Certificates that end before their time because somebody asked over the network. */
#include <string.h>

#include "db/issuance/rows.h"

/* ---- rr ---- */

void
issuance_target_free(struct issuance_target *t)
{
    buf_free(&t->certificate);
}

int
issuance_target_find(struct store_db *db, struct span serial, struct issuance_target *out,
                     bool *found, struct err *e)
{
    CLEANUP(store_end) struct store_rows rows = {0};

    memset(out, 0, sizeof(*out));
    if (store_query(db, &rows,
                    "SELECT c.nf_instance, c.revoked IS NOT NULL, c.not_after, " ISSUANCE_DER
                    " FROM request q "
                    "JOIN " ISSUANCE_CERTIFICATE "JOIN " ISSUANCE_ISSUED_LEAF "WHERE q.serial = ?1",
                    STORE_VALUES(store_blob(serial)), e) != 0 ||
        store_next(&rows, found, e) != 0) {
        return -1;
    }
    if (*found) {
        row_copy_text(&rows, 0, out->nf_instance, sizeof(out->nf_instance));
        out->revoked = row_int(&rows, 1) != 0;
        out->not_after = (time_t)row_int(&rows, 2);
        return row_copy_blob(&rows, 3, ISSUANCE_TBS_MAX, &out->certificate, e);
    }
    return 0;
}

int
issuance_asked_find(struct store_db *db, struct span rid, uint64_t *leaf, bool *found,
                    struct err *e)
{
    CLEANUP(store_end) struct store_rows rows = {0};

    if (store_query(db, &rows, "SELECT leaf FROM revocation_request WHERE rid = ?1",
                    STORE_VALUES(store_blob(rid)), e) != 0 ||
        store_next(&rows, found, e) != 0) {
        return -1;
    }
    *leaf = *found ? (uint64_t)row_int(&rows, 0) : 0;
    return 0;
}

static int
judge_asked(struct store_db *db, const struct issuance_asked *a, uint64_t *leaf, time_t *not_after,
            enum issuance_outcome *outcome, struct err *e)
{
    CLEANUP(issuance_target_free) struct issuance_target target = {0};
    bool known;
    bool ours;
    bool live;
    bool found;

    if (issuance_asked_find(db, a->rid, leaf, &known, e) != 0 ||
        issuance_is_ours(db, a->ra_der, ISSUANCE_RA, &ours, e) != 0 ||
        issuance_is_live(db, a->holder, &live, e) != 0 ||
        issuance_target_find(db, a->serial, &target, &found, e) != 0) {
        return -1;
    }
    *not_after = target.not_after;
    *outcome = known                                ? ISSUANCE_KNOWN
               : !ours                              ? ISSUANCE_SIGNER_UNKNOWN
               : !live || (found && target.revoked) ? ISSUANCE_HOLDER_REVOKED
               : !found                             ? ISSUANCE_CLOSED
                                                    : ISSUANCE_DONE;
    return 0;
}

int
issuance_revoke_asked(struct store_db *db, const struct issuance_asked *a, uint64_t *leaf,
                      enum issuance_outcome *outcome, struct err *e)
{
    struct issuance_revoked r = {.serial = a->serial,
                                 .reason = a->reason,
                                 .by = a->by,
                                 .asked = a->rid,
                                 .has_invalidity = a->has_invalidity,
                                 .invalidity_date = a->invalidity_date};
    CLEANUP(buf_free) struct buf evidence = {0};

    if (judge_asked(db, a, leaf, &r.not_after, outcome, e) != 0) {
        return -1;
    }
    if (*outcome != ISSUANCE_DONE) {
        return 0;
    }
    if (issuance_revoke_as(db, &r, a->when, leaf, e) != 0 ||
        packed_make(db, "revocation", a->evidence, &evidence, e) != 0) {
        return -1;
    }
    return store_exec(db,
                      "INSERT INTO revocation_request(rid, serial, evidence, created, leaf) "
                      "VALUES(?1, ?2, ?3, ?4, ?5)",
                      STORE_VALUES(store_blob(a->rid), store_blob(a->serial),
                                   store_blob(buf_span(&evidence)), store_int(a->when.now),
                                   store_int((int64_t)*leaf)),
                      e);
}

/* ---- the end of a registration ---- */

/* A serial number and when its certificate ends anyway. */
struct ending {
    uint8_t serial[ISSUANCE_SERIAL_SIZE];
    time_t not_after;
};

/* The next certificate that `sql` names; *found = false when there is none (any more). */
static int
find_next(struct store_db *db, const char *sql, const struct store_value *values, size_t n,
          struct ending *out, bool *found, struct err *e)
{
    CLEANUP(store_end) struct store_rows rows = {0};

    if (store_query(db, &rows, sql, values, n, e) != 0 || store_next(&rows, found, e) != 0) {
        return -1;
    }
    if (!*found) {
        return 0;
    }
    out->not_after = (time_t)row_int(&rows, 1);
    return row_copy_octets(&rows, 0, out->serial, sizeof(out->serial), e);
}

int
issuance_revoke_under(struct store_db *db, const char *registration, bool followed,
                      struct issuance_when when, int *revoked, struct err *e)
{
    for (;;) {
        struct ending one;
        bool found;

        if (find_next(db,
                      "SELECT q.serial, c.not_after FROM registration g "
                      "JOIN registration h ON h.nf_instance = g.nf_instance AND "
                      "(h.id = g.id OR (?3 AND h.state = 2)) "
                      "JOIN request q ON q.registration = h.id JOIN " ISSUANCE_CERTIFICATE
                      "WHERE g.id = ?1 AND c.not_after >= ?2 AND c.revoked IS NULL LIMIT 1",
                      STORE_VALUES(store_text(registration), store_int(when.now),
                                   store_int(followed ? 1 : 0)),
                      &one, &found, e) != 0) {
            return -1;
        }
        if (!found) {
            return 0;
        }
        if (issuance_revoke_row(db, span_of(one.serial, sizeof(one.serial)), one.not_after,
                                ISSUANCE_CESSATION, "cancel", when, NULL, e) != 0) {
            return -1;
        }
        (*revoked)++;
    }
}

int
issuance_is_cancelled(struct store_db *db, struct span rid, bool *cancelled, struct err *e)
{
    return store_has_row(db,
                         "SELECT 1 FROM request q JOIN registration g ON g.id = q.registration "
                         "WHERE q.rid = ?1 AND g.state = 1",
                         STORE_VALUES(store_blob(rid)), cancelled, e);
}

/* ---- certificates that are not confirmed ---- */

/* The one that waits longest; *found = false when none is due. */
static int
find_due(struct store_db *db, time_t before, enum issuance_confirm least,
         uint8_t rid[ISSUANCE_RID_SIZE], bool *found, struct err *e)
{
    CLEANUP(store_end) struct store_rows rows = {0};

    if (store_query(db, &rows,
                    "SELECT rid FROM request WHERE state = 1 AND confirm > 0 AND confirm >= ?1 "
                    "AND created < ?2 ORDER BY created LIMIT 1",
                    STORE_VALUES(store_int(least), store_int(before)), e) != 0 ||
        store_next(&rows, found, e) != 0) {
        return -1;
    }
    return *found ? row_copy_octets(&rows, 0, rid, ISSUANCE_RID_SIZE, e) : 0;
}

int
issuance_end_unconfirmed(struct store_db *db, time_t before, enum issuance_confirm least, int limit,
                         struct issuance_when when, int *n, struct err *e)
{
    uint8_t rid[ISSUANCE_RID_SIZE];
    bool found = true;

    for (*n = 0; *n < limit; (*n)++) {
        if (find_due(db, before, least, rid, &found, e) != 0) {
            return -1;
        }
        if (!found) {
            break;
        }
        if (issuance_end_unwanted(db, span_of(rid, sizeof(rid)), "not confirmed in time",
                                  "unconfirmed", when, e) != 0) {
            return -1;
        }
    }
    return 0;
}
