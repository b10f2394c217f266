/* SPDX-License-Identifier: Apache-2.0 */
/* Requests that are signed with a certificate of ours, and what their confirmation supersedes. */
#include <stdio.h>
#include <string.h>

#include "db/issuance/rows.h"

int
issuance_holder_find(struct store_db *db, struct span serial, struct span der,
                     struct issuance_holder *out, bool *found, struct err *e)
{
    CLEANUP(store_end) struct store_rows rows = {0};
    enum issuance_role role;

    *found = false;
    memset(out, 0, sizeof(*out));
    if (serial.n != sizeof(out->serial)) {
        return 0;
    }
    if (store_query(db, &rows,
                    "SELECT c.nf_instance, c.profile, q.registration, g.id, c.revoked IS NOT NULL "
                    "FROM request q JOIN " ISSUANCE_CERTIFICATE "JOIN " ISSUANCE_ISSUED_LEAF
                    "LEFT JOIN registration g ON g.nf_instance = c.nf_instance AND g.state = 0 "
                    "WHERE q.serial = ?1 AND " ISSUANCE_DER " = ?2",
                    STORE_VALUES(store_blob(serial), store_blob(der)), e) != 0 ||
        store_next(&rows, found, e) != 0) {
        return -1;
    }
    if (*found) {
        memcpy(out->serial, serial.p, serial.n);
        row_copy_text(&rows, 0, out->nf_instance, sizeof(out->nf_instance));
        row_copy_text(&rows, 1, out->profile, sizeof(out->profile));
        row_copy_text(&rows, 2, out->registration, sizeof(out->registration));
        row_copy_text(&rows, 3, out->governs, sizeof(out->governs));
        out->revoked = row_int(&rows, 4) != 0;
    }
    store_end(&rows);
    if (!*found || out->nf_instance[0] != '\0') {
        return 0;
    }
    /* Of what speaks for others the row is not believed. */
    if (issuance_role_recorded(db, der, &role, e) != 0) {
        return -1;
    }
    (void)snprintf(out->profile, sizeof(out->profile), "%s", issuance_role_name(role));
    return 0;
}

int
issuance_is_live(struct store_db *db, struct span serial, bool *live, struct err *e)
{
    return store_has_row(db,
                         "SELECT 1 FROM request q JOIN " ISSUANCE_CERTIFICATE
                         "WHERE q.serial = ?1 AND c.revoked IS NULL",
                         STORE_VALUES(store_blob(serial)), live, e);
}

/* In the transaction of the intent: what the judge saw may be revoked by now. */
int
issuance_check_holder(struct store_db *db, const struct issuance_intent *i,
                      enum issuance_outcome *outcome, struct err *e)
{
    bool live = true;

    if (i->holder.n > 0 && issuance_is_live(db, i->holder, &live, e) != 0) {
        return -1;
    }
    if (!live) {
        *outcome = ISSUANCE_HOLDER_REVOKED;
    }
    return 0;
}

struct renewed {
    bool is_update;
    uint8_t serial[ISSUANCE_SERIAL_SIZE];
};

/* What this request, when it is a kur, updates. */
static int
find_renewed(struct store_db *db, const struct issuance_request *q, struct renewed *out,
             struct err *e)
{
    CLEANUP(store_end) struct store_rows rows = {0};

    if (store_query_one(db, &rows, "SELECT is_update, renews FROM request WHERE rid = ?1",
                        STORE_VALUES(store_blob(span_of(q->rid, sizeof(q->rid)))), e) != 0) {
        return -1;
    }
    out->is_update = row_int(&rows, 0) != 0 && row_blob(&rows, 1).n == sizeof(out->serial);
    if (out->is_update) {
        memcpy(out->serial, row_blob(&rows, 1).p, sizeof(out->serial));
    }
    return 0;
}

int
issuance_may_confirm(struct store_db *db, const struct issuance_request *q, bool *may,
                     struct err *e)
{
    struct renewed renewed;

    *may = true;
    if (find_renewed(db, q, &renewed, e) != 0) {
        return -1;
    }
    return renewed.is_update
               ? issuance_is_live(db, span_of(renewed.serial, sizeof(renewed.serial)), may, e)
               : 0;
}

static int
supersede_one(struct store_db *db, const struct issuance_request *q, struct span serial,
              const char *by, struct issuance_when when, bool *revoked, struct err *e)
{
    CLEANUP(store_end) struct store_rows rows = {0};
    struct issuance_revoked r = {.serial = serial,
                                 .reason = ISSUANCE_SUPERSEDED,
                                 .by = by,
                                 .superseded_by = span_of(q->serial, sizeof(q->serial))};

    if (store_query_one(db, &rows,
                        "SELECT c.not_after FROM request q JOIN " ISSUANCE_CERTIFICATE
                        "WHERE q.serial = ?1",
                        STORE_VALUES(store_blob(serial)), e) != 0) {
        return -1;
    }
    r.not_after = (time_t)row_int(&rows, 0);
    store_end(&rows);
    *revoked = true;
    return issuance_revoke_as(db, &r, when, NULL, e);
}

/* What is live of this network function under another registration, when the one of `q` was made to
 * replace that: the next one. */
static int
find_replaced(struct store_db *db, const struct issuance_request *q, time_t now,
              uint8_t serial[ISSUANCE_SERIAL_SIZE], bool *found, struct err *e)
{
    CLEANUP(store_end) struct store_rows rows = {0};

    if (store_query(db, &rows,
                    "SELECT q.serial FROM registration g "
                    "JOIN registration h ON h.nf_instance = g.nf_instance AND h.id <> g.id "
                    "JOIN request q ON q.registration = h.id JOIN " ISSUANCE_CERTIFICATE
                    "WHERE g.id = ?1 AND g.supersedes IS NOT NULL AND c.not_after >= ?2 AND "
                    "c.revoked IS NULL LIMIT 1",
                    STORE_VALUES(store_text(q->registration), store_int(now)), e) != 0 ||
        store_next(&rows, found, e) != 0) {
        return -1;
    }
    return *found ? row_copy_octets(&rows, 0, serial, ISSUANCE_SERIAL_SIZE, e) : 0;
}

int
issuance_supersede(struct store_db *db, const struct issuance_request *q, struct issuance_when when,
                   bool *revoked, struct err *e)
{
    uint8_t serial[ISSUANCE_SERIAL_SIZE];
    struct renewed renewed;
    bool found = true;

    if (find_renewed(db, q, &renewed, e) != 0) {
        return -1;
    }
    if (renewed.is_update && supersede_one(db, q, span_of(renewed.serial, sizeof(renewed.serial)),
                                           "kur", when, revoked, e) != 0) {
        return -1;
    }
    while (found) {
        if (find_replaced(db, q, when.now, serial, &found, e) != 0 ||
            (found && supersede_one(db, q, span_of(serial, sizeof(serial)), "registration", when,
                                    revoked, e) != 0)) {
            return -1;
        }
    }
    return 0;
}
