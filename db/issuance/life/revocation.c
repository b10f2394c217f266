/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "db/issuance/rows.h"

enum { OCTETS_KEPT = 2, FORGOTTEN_MAX = 16 };

int
issuance_revoke(struct store_db *db, struct span serial, int reason, const char *by,
                struct issuance_when when, uint64_t *leaf, enum issuance_outcome *outcome,
                struct err *e)
{
    CLEANUP(store_end) struct store_rows rows = {0};
    time_t not_after;

    if (store_query_one(
            db, &rows,
            "SELECT c.not_after, c.revoked IS NOT NULL FROM request q JOIN " ISSUANCE_CERTIFICATE
            "WHERE q.serial = ?1",
            STORE_VALUES(store_blob(serial)), e) != 0) {
        return e->code == ERR_NOTFOUND
                   ? err_set(e, ERR_NOTFOUND, "no certificate with this serial number was issued")
                   : -1;
    }
    not_after = (time_t)row_int(&rows, 0);
    *outcome = row_int(&rows, 1) != 0 ? ISSUANCE_KNOWN : ISSUANCE_DONE;
    store_end(&rows);
    if (*outcome == ISSUANCE_KNOWN) {
        return 0;
    }
    return issuance_revoke_row(db, serial, not_after, reason, by, when, leaf, e);
}

/* It never goes back from one number to the next. */
int
issuance_crl_last(struct store_db *db, time_t *this_update, struct err *e)
{
    CLEANUP(store_end) struct store_rows rows = {0};
    bool row;

    if (store_query(db, &rows, "SELECT this_update FROM crl ORDER BY number DESC LIMIT 1",
                    STORE_NO_VALUES, e) != 0 ||
        store_next(&rows, &row, e) != 0) {
        return -1;
    }
    *this_update = row ? (time_t)row_int(&rows, 0) : 0;
    return 0;
}

int
issuance_crl_reserve(struct store_db *db, time_t this_update, time_t next_update, uint64_t *number,
                     struct err *e)
{
    CLEANUP(store_end) struct store_rows rows = {0};

    /* The next one, and not what sqlite_sequence says: the issuing key's signer refuses a number
     * that is far ahead, and so would the next start. */
    if (store_query_one(db, &rows, "SELECT coalesce(max(number), 0) + 1 FROM crl", STORE_NO_VALUES,
                        e) != 0) {
        return -1;
    }
    *number = (uint64_t)row_int(&rows, 0);
    store_end(&rows);
    return store_exec(
        db, "INSERT INTO crl(number, this_update, next_update) VALUES(?1, ?2, ?3)",
        STORE_VALUES(store_int((int64_t)*number), store_int(this_update), store_int(next_update)),
        e);
}

int
issuance_crl_passed(struct store_db *db, time_t at, time_t *this_update, struct err *e)
{
    CLEANUP(store_end) struct store_rows rows = {0};
    bool row;

    if (store_query(db, &rows,
                    "SELECT this_update FROM crl WHERE der IS NOT NULL AND next_update <= ?1 "
                    "ORDER BY number DESC LIMIT 1",
                    STORE_VALUES(store_int(at)), e) != 0 ||
        store_next(&rows, &row, e) != 0) {
        return -1;
    }
    *this_update = row ? (time_t)row_int(&rows, 0) : 0;
    return 0;
}

int
issuance_crl_each(struct store_db *db, time_t expired_after,
                  void (*visit)(void *arg, struct span serial, time_t revoked, int reason),
                  void *arg, struct err *e)
{
    CLEANUP(store_end) struct store_rows rows = {0};
    bool row = true;

    if (store_query(db, &rows,
                    "SELECT serial, coalesce(crl_date, revoked), reason FROM revocation "
                    "WHERE not_after >= ?1 ORDER BY serial",
                    STORE_VALUES(store_int(expired_after)), e) != 0) {
        return -1;
    }
    while (store_next(&rows, &row, e) == 0) {
        if (!row) {
            return 0;
        }
        visit(arg, row_blob(&rows, 0), (time_t)row_int(&rows, 1), (int)row_int(&rows, 2));
    }
    return -1;
}

/* A leaf about a CRL, with what both kinds have. */
static int
crl_leaf(struct store_db *db, const struct issuance_crl *c, struct leaf *leaf, struct err *e)
{
    CLEANUP(store_end) struct store_rows rows = {0};
    uint8_t hash[SHA256_SIZE];

    if (store_query_one(
            db, &rows, "SELECT this_update, next_update FROM crl WHERE number = ?1 AND der IS NULL",
            STORE_VALUES(store_int((int64_t)c->number)), e) != 0 ||
        sha256(c->tbs, hash, e) != 0) {
        return -1;
    }
    leaf_set_int(leaf, "number", (int64_t)c->number);
    leaf_set_hex(leaf, "tbs", span_of(hash, sizeof(hash)));
    leaf_set_time(leaf, "thisUpdate", (time_t)row_int(&rows, 0));
    leaf_set_time(leaf, "nextUpdate", (time_t)row_int(&rows, 1));
    leaf_set_int(leaf, "entries", (int64_t)c->entries);
    return 0;
}

int
issuance_crl_intend(struct store_db *db, const struct issuance_crl *c, uint64_t *leaf_index,
                    struct err *e)
{
    CLEANUP(leaf_cleanup) struct leaf *leaf = leaf_new(LEAF_CRL_INTENT, c->now);

    if (crl_leaf(db, c, leaf, e) != 0) {
        return -1;
    }
    leaf_set_int(leaf, "upTo", (int64_t)c->up_to);
    leaf_set_hex(leaf, "revocations", c->digest);
    if (c->expired_before != 0) {
        leaf_set_time(leaf, "expiredBefore", c->expired_before);
    }
    return ledger_append(db, leaf, leaf_index, e);
}

/* Nobody asks for the octets of an older one: what it was stands in its leaf. That of before is
 * kept, since it is the one that is out until this one is. Those of before migration 27 go a few at
 * a time, for whoever waits. */
static int
forget_octets(struct store_db *db, struct err *e)
{
    return store_exec(db,
                      "UPDATE crl SET der = x'' WHERE number IN (SELECT number FROM crl INDEXED BY "
                      "crl_octets WHERE length(der) > 0 ORDER BY number DESC LIMIT ?1 OFFSET ?2)",
                      STORE_VALUES(store_int(FORGOTTEN_MAX), store_int(OCTETS_KEPT)), e);
}

int
issuance_crl_store(struct store_db *db, const struct issuance_crl *c, struct span der,
                   uint64_t *leaf_index, struct err *e)
{
    CLEANUP(leaf_cleanup) struct leaf *leaf = leaf_new(LEAF_CRL, c->now);
    uint8_t hash[SHA256_SIZE];

    if (crl_leaf(db, c, leaf, e) != 0 || sha256(der, hash, e) != 0) {
        return -1;
    }
    leaf_set_hex(leaf, "sha256", span_of(hash, sizeof(hash)));
    if (ledger_append(db, leaf, leaf_index, e) != 0) {
        return -1;
    }
    return store_exec(db, "UPDATE crl SET der = ?1, entries = ?2 WHERE number = ?3",
                      STORE_VALUES(store_blob(der), store_int((int64_t)c->entries),
                                   store_int((int64_t)c->number)),
                      e) != 0
               ? -1
               : forget_octets(db, e);
}

/* A database of before migration 26, which a start looks at before it changes it, finds no leaf by
 * its number; it has the octets of all. */
static int
recorded_hash(struct store_db *db, uint64_t number, struct issuance_crl_stored *out, struct err *e)
{
    CLEANUP(store_end) struct store_rows rows = {0};
    CLEANUP(leaf_cleanup) struct leaf *leaf = NULL;
    bool subjects;

    if (store_has_row(db, "SELECT 1 FROM sqlite_schema WHERE name = 'leaf_subject'",
                      STORE_NO_VALUES, &subjects, e) != 0 ||
        store_query(
            db, &rows,
            subjects ? "SELECT unpacked(l.body) FROM leaf_subject o JOIN leaf l ON l.idx = o.idx "
                       "WHERE o.subject = ?1 AND l.kind = 'CRL' ORDER BY o.idx DESC LIMIT 1"
                     : "SELECT der FROM crl WHERE number = ?1 AND length(der) > 0",
            STORE_VALUES(store_int((int64_t)number)), e) != 0 ||
        store_next(&rows, &out->found, e) != 0) {
        return -1;
    }
    if (!out->found) {
        return 0;
    }
    if (!subjects) {
        return sha256(row_blob(&rows, 0), out->sha256, e);
    }
    leaf = leaf_parse(row_blob(&rows, 0), e);
    return leaf == NULL ? -1
                        : hex_parse(leaf_text(leaf, "sha256"), out->sha256, sizeof(out->sha256), e);
}

int
issuance_crl_find(struct store_db *db, uint64_t number, struct issuance_crl_stored *out,
                  struct err *e)
{
    CLEANUP(store_end) struct store_rows rows = {0};
    bool made;

    *out = (struct issuance_crl_stored){0};
    if (store_has_row(db, "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'crl'",
                      STORE_NO_VALUES, &made, e) != 0) {
        return -1;
    }
    if (!made) {
        return 0;
    }
    if (store_query_one(db, &rows,
                        "SELECT (SELECT coalesce(max(number), 0) FROM crl WHERE der IS NOT NULL), "
                        "(SELECT value FROM setting WHERE name = '" ISSUANCE_RESTORED_CRL
                        "' AND EXISTS (SELECT 1 FROM crl WHERE number = ?1))",
                        STORE_VALUES(store_int((int64_t)number)), e) != 0) {
        return -1;
    }
    out->newest = (uint64_t)row_int(&rows, 0);
    if (recorded_hash(db, number, out, e) != 0) {
        return -1;
    }
    if (out->found) {
        return 0;
    }
    /* The one that was out at a restore. */
    out->found = !row_is_null(&rows, 1);
    out->newest = out->found && number > out->newest ? number : out->newest;
    return out->found ? row_copy_octets(&rows, 1, out->sha256, sizeof(out->sha256), e) : 0;
}

int
issuance_infrastructure_each(struct store_db *db, enum issuance_role role, time_t now,
                             void (*visit)(void *arg, struct span der), void *arg, struct err *e)
{
    CLEANUP(store_end) struct store_rows rows = {0};
    enum issuance_role found;
    bool row = true;

    if (store_query(db, &rows,
                    "SELECT " ISSUANCE_DER " FROM certificate c JOIN " ISSUANCE_ISSUED_LEAF
                    "WHERE c.nf_instance IS NULL "
                    "AND c.not_after >= ?1 AND c.revoked IS NULL",
                    STORE_VALUES(store_int(now)), e) != 0) {
        return -1;
    }
    while (store_next(&rows, &row, e) == 0) {
        if (!row) {
            return 0;
        }
        if (issuance_role_recorded(db, row_blob(&rows, 0), &found, e) != 0) {
            return -1;
        }
        if (found == role) {
            visit(arg, row_blob(&rows, 0));
        }
    }
    return -1;
}

int
issuance_signatures(struct store_db *db, uint64_t *stored, struct err *e)
{
    CLEANUP(store_end) struct store_rows rows = {0};

    if (store_query_one(db, &rows,
                        "SELECT (SELECT count(*) FROM certificate) + (SELECT count(*) FROM crl "
                        "WHERE der IS NOT NULL)",
                        STORE_NO_VALUES, e) != 0) {
        return -1;
    }
    *stored = (uint64_t)row_int(&rows, 0);
    return 0;
}

/* Of registrations and certificates none goes (ca.sql), so the greatest rowid is how many there
 * are; the others are counted in an index that has no more than those. */
int
issuance_count(struct store_db *db, struct issuance_counts *out, struct err *e)
{
    CLEANUP(store_end) struct store_rows rows = {0};
    int64_t *const members[] = {&out->registrations,  &out->certificates, &out->open,
                                &out->refused,        &out->revoked,      &out->crl_number,
                                &out->crl_next_update};

    if (store_query_one(
            db, &rows,
            "SELECT (SELECT coalesce(max(rowid), 0) FROM registration), "
            "(SELECT coalesce(max(rowid), 0) FROM certificate), "
            "(SELECT count(*) FROM request WHERE state = 0), "
            "(SELECT count(*) FROM request WHERE state = 2), (SELECT count(*) FROM revocation), "
            "coalesce(newest.number, 0), coalesce(newest.next_update, 0) FROM (SELECT 1) LEFT JOIN "
            "(SELECT number, next_update FROM crl WHERE der IS NOT NULL ORDER BY number DESC LIMIT "
            "1) newest",
            STORE_NO_VALUES, e) != 0) {
        return -1;
    }
    for (size_t i = 0; i < ARRAY_LEN(members); i++) {
        *members[i] = row_int(&rows, (int)i);
    }
    return 0;
}

int
issuance_setting(struct store_db *db, const char *name, struct span value, struct buf *previous,
                 bool *changed, struct err *e)
{
    CLEANUP(store_end) struct store_rows rows = {0};
    bool row;

    if (store_query(db, &rows, "SELECT value FROM setting WHERE name = ?1",
                    STORE_VALUES(store_text(name)), e) != 0 ||
        store_next(&rows, &row, e) != 0 ||
        buf_set(previous, row ? row_blob(&rows, 0) : span_of(NULL, 0), e) != 0) {
        return -1;
    }
    *changed = !row || !span_equal(buf_span(previous), value);
    store_end(&rows);
    return !*changed ? 0
                     : store_exec(db,
                                  "INSERT INTO setting(name, value) VALUES(?1, ?2) "
                                  "ON CONFLICT(name) DO UPDATE SET value = excluded.value",
                                  STORE_VALUES(store_text(name), store_blob(value)), e);
}
