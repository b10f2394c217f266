/* SPDX-License-Identifier: Apache-2.0 */
#include "db/issuance/rebuild/restored.h"

#include <string.h>

#include "db/issuance/journal.h"
#include "db/issuance/rebuild/rows.h"
#include "db/issuance/rows.h"

static const char BY[] = "restore";

static void
name_previous(struct leaf *leaf, const struct restored_previous *p)
{
    leaf_set_text(leaf, "previousOrigin", p->origin);
    leaf_set_base64(leaf, "previousKey", p->key);
    leaf_set_base64(leaf, "previousCheckpoint", p->note);
    leaf_set_int(leaf, "signed", (int64_t)p->signed_size);
    leaf_set_hex(leaf, "signedRoot", p->signed_root);
}

int
restored_append(struct store_db *db, const struct restored *r, struct err *e)
{
    CLEANUP(leaf_cleanup) struct leaf *leaf = leaf_new(LEAF_RESTORED, r->now);
    const struct {
        const char *name;
        int64_t number;
    } numbers[] = {
        {"record", LEAF_RECORD_VERSION},
        {"from", (int64_t)r->from},
        {"to", (int64_t)r->to},
        {"registrations", r->back.registrations},
        {"certificates", r->back.certificates},
        {"revocations", r->back.revocations},
        {"crls", r->back.crls},
        {"abandoned", r->abandoned},
        {"refused", r->refused},
        {"void", r->voided},
        {"fromCrl", r->from_crl},
    };

    for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
        leaf_set_int(leaf, numbers[i].name, numbers[i].number);
    }
    if (r->adopted > 0) {
        leaf_set_int(leaf, "adopted", r->adopted);
    }
    if (r->previous != NULL) {
        name_previous(leaf, r->previous);
    }
    if (r->went_back_from != 0) {
        leaf_set_time(leaf, "clockSetBack", r->went_back_from);
    }
    if (r->crl_number > 0) {
        leaf_set_int(leaf, "crlNumber", (int64_t)r->crl_number);
        leaf_set_hex(leaf, "crl", r->crl);
    }
    leaf_set_hex(leaf, "root", r->root);
    leaf_set_hex(leaf, "plan", r->plan);
    leaf_set_hex(leaf, "officer", r->officers[0].serial);
    leaf_set_base64(leaf, "cms", r->officers[0].cms);
    leaf_set_hex(leaf, "secondOfficer", r->officers[1].serial);
    leaf_set_base64(leaf, "secondCms", r->officers[1].cms);
    if (r->previous != NULL && issuance_journal_forget(db, e) != 0) {
        return -1;
    }
    return ledger_append(db, leaf, NULL, e);
}

/* ---- one-time secrets ---- */

/* An intent of which nothing came is no use: it is given up. */
#define UNUSED                                                                                     \
    "SELECT g.id, unpacked(l.body) FROM registration g JOIN leaf l ON l.idx = g.leaf "             \
    "WHERE g.state = 0 AND g.leaf >= ?1 AND g.used - (SELECT count(*) FROM request q WHERE "       \
    "q.registration = g.id AND q.state = 0 AND q.tbs IS NULL AND q.renews IS NULL AND "            \
    "q.instead_of IS NULL) < g.certificates ORDER BY g.leaf"

struct unused {
    char (*ids)[ISSUANCE_ID_SIZE];
    size_t n, capacity;
};

static void
unused_free(struct unused *u)
{
    mem_free(u->ids);
}

/* How a network function proves itself is in the leaf. */
static int
add_unused(struct unused *u, const struct store_rows *rows, struct err *e)
{
    CLEANUP(leaf_cleanup) struct leaf *leaf = leaf_parse(row_blob(rows, 1), e);

    if (leaf == NULL) {
        return -1;
    }
    if (leaf_kind(leaf) != LEAF_REGISTRATION) {
        return err_set(e, ERR_STORE, "registration %s has another leaf", row_text(rows, 0));
    }
    if (strcmp(leaf_text(leaf, "proof"), "mac") == 0) {
        u->ids = mem_grow(u->ids, &u->capacity, u->n + 1, sizeof(u->ids[0]));
        row_copy_text(rows, 0, u->ids[u->n++], ISSUANCE_ID_SIZE);
    }
    return 0;
}

static int
find_unused(struct store_db *db, uint64_t from, struct unused *u, struct err *e)
{
    CLEANUP(store_end) struct store_rows rows = {0};
    bool row = true;

    if (store_query(db, &rows, UNUSED, STORE_VALUES(store_int((int64_t)from)), e) != 0) {
        return -1;
    }
    while (store_next(&rows, &row, e) == 0) {
        if (!row) {
            return 0;
        }
        if (add_unused(u, &rows, e) != 0) {
            return -1;
        }
    }
    return -1;
}

int
restored_void_count(struct store_db *db, uint64_t from, int64_t *n, struct err *e)
{
    CLEANUP(unused_free) struct unused u = {0};

    if (find_unused(db, from, &u, e) != 0) {
        return -1;
    }
    *n = (int64_t)u.n;
    return 0;
}

static int
end_registration(struct store_db *db, const char *id, time_t now, struct err *e)
{
    CLEANUP(leaf_cleanup) struct leaf *leaf = leaf_new(LEAF_CANCEL, now);
    uint64_t index;

    leaf_set_text(leaf, "registration", id);
    leaf_set_text(leaf, "reason", "the one-time secret was handed out in what was lost");
    leaf_set_text(leaf, "by", BY);
    return ledger_append(db, leaf, &index, e) != 0
               ? -1
               : store_exec(db, "UPDATE registration SET state = 1, leaf = ?2 WHERE id = ?1",
                            STORE_VALUES(store_text(id), store_int((int64_t)index)), e);
}

int
restored_void(struct store_db *db, uint64_t from, time_t now, struct err *e)
{
    CLEANUP(unused_free) struct unused u = {0};

    if (find_unused(db, from, &u, e) != 0) {
        return -1;
    }
    for (size_t i = 0; i < u.n; i++) {
        if (end_registration(db, u.ids[i], now, e) != 0) {
            return -1;
        }
    }
    return 0;
}

/* ---- the newest CRL ---- */

int
restored_crl_known(struct store_db *db, const struct restored_crl *c, struct err *e)
{
    return store_exec(db,
                      "INSERT INTO crl(number, this_update, next_update) SELECT ?1, ?2, ?3 "
                      "WHERE ?1 > (SELECT coalesce(max(number), 0) FROM crl)",
                      STORE_VALUES(store_int((int64_t)c->number), store_int(c->this_update),
                                   store_int(c->next_update)),
                      e) != 0
               ? -1
               : store_exec(db,
                            "INSERT INTO setting(name, value) VALUES('" ISSUANCE_RESTORED_CRL
                            "', ?1) ON CONFLICT(name) DO UPDATE SET value = excluded.value",
                            STORE_VALUES(store_blob(c->sha256)), e);
}

int
restored_crl_entry(struct store_db *db, struct span serial, bool *known, bool *revoked,
                   struct err *e)
{
    return store_has_row(db, "SELECT 1 FROM request WHERE serial = ?1",
                         STORE_VALUES(store_blob(serial)), known, e) != 0
               ? -1
               : store_has_row(db, "SELECT 1 FROM revocation WHERE serial = ?1",
                               STORE_VALUES(store_blob(serial)), revoked, e);
}

int
restored_revoke(struct store_db *db, struct span serial, int reason, struct issuance_when when,
                struct err *e)
{
    CLEANUP(store_end) struct store_rows rows = {0};
    time_t not_after;

    if (store_query_one(db, &rows, "SELECT not_after FROM request WHERE serial = ?1",
                        STORE_VALUES(store_blob(serial)), e) != 0) {
        return -1;
    }
    not_after = (time_t)row_int(&rows, 0);
    store_end(&rows);
    return issuance_revoke_row(db, serial, not_after, reason, BY, when, NULL, e);
}
