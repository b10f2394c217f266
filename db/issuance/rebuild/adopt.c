/* SPDX-License-Identifier: Apache-2.0 */
/* What the record lost and somebody has: the leaves that it would have had, and their rows. */
#include <string.h>

#include "db/issuance/rebuild/restored.h"
#include "db/issuance/rebuild/rows.h"
#include "db/issuance/rows.h"

int
restored_certificate_find(struct store_db *db, struct span serial, struct span der, bool *known,
                          bool *intended, struct err *e)
{
    CLEANUP(store_end) struct store_rows rows = {0};
    bool row;

    *known = false;
    *intended = false;
    if (store_query(db, &rows,
                    "SELECT q.state, " ISSUANCE_DER
                    " FROM request q LEFT JOIN " ISSUANCE_CERTIFICATE
                    "LEFT JOIN " ISSUANCE_ISSUED_LEAF "WHERE q.serial = ?1",
                    STORE_VALUES(store_blob(serial)), e) != 0 ||
        store_next(&rows, &row, e) != 0) {
        return -1;
    }
    if (!row) {
        return 0;
    }
    if (row_is_null(&rows, 1)) {
        *intended = row_int(&rows, 0) == ISSUANCE_INTENT;
        *known = !*intended;
        return 0;
    }
    *known = true;
    return span_equal(row_blob(&rows, 1), der)
               ? 0
               : err_set(e, ERR_STALE,
                         "the record has another certificate with this serial number");
}

/* A leaf, with its rows. */
static int
append(struct store_db *db, struct rebuild *r, struct leaf *leaf, struct err *e)
{
    uint64_t index;

    return ledger_append(db, leaf, &index, e) != 0 ? -1 : rebuild_leaf(r, db, leaf, index, e);
}

struct adopting {
    struct store_db *db;
    struct rebuild *r;
    const struct restored_certificate *c;
    uint8_t rid[SHA256_SIZE];
};

static struct span
rid_of(const struct adopting *a)
{
    return span_of(a->rid, sizeof(a->rid));
}

static int
say_adopted(const struct adopting *a, struct err *e)
{
    CLEANUP(leaf_cleanup) struct leaf *leaf = leaf_new(LEAF_ADOPTED, a->c->when.now);

    leaf_set_hex(leaf, "serial", a->c->serial);
    leaf_set_text(leaf, "from", a->c->der.n > 0 ? "certificate" : "crl");
    return append(a->db, a->r, leaf, e);
}

/* The INTENT that is there, or one of its own: its rid is the hash of what is known. */
static int
find_intent(struct adopting *a, bool *there, struct err *e)
{
    CLEANUP(store_end) struct store_rows rows = {0};

    if (store_query(a->db, &rows, "SELECT rid FROM request WHERE serial = ?1",
                    STORE_VALUES(store_blob(a->c->serial)), e) != 0 ||
        store_next(&rows, there, e) != 0) {
        return -1;
    }
    return *there ? row_copy_octets(&rows, 0, a->rid, sizeof(a->rid), e)
                  : sha256(a->c->der.n > 0 ? a->c->der : a->c->serial, a->rid, e);
}

static int
intend(const struct adopting *a, struct err *e)
{
    CLEANUP(leaf_cleanup) struct leaf *leaf = leaf_new(LEAF_INTENT, a->c->when.now);
    uint8_t hash[SHA256_SIZE];

    if (sha256(a->c->tbs, hash, e) != 0) {
        return -1;
    }
    leaf_set_hex(leaf, "rid", rid_of(a));
    leaf_set_hex(leaf, "serial", a->c->serial);
    leaf_set_text(leaf, "profile", "adopted");
    leaf_set_hex(leaf, "tbs", span_of(hash, sizeof(hash)));
    leaf_set_time(leaf, "notBefore", a->c->not_before);
    leaf_set_time(leaf, "notAfter", a->c->not_after);
    return append(a->db, a->r, leaf, e);
}

static int
issue(const struct adopting *a, struct err *e)
{
    CLEANUP(leaf_cleanup) struct leaf *leaf = leaf_new(LEAF_ISSUED, a->c->when.now);

    leaf_set_hex(leaf, "rid", rid_of(a));
    leaf_set_hex(leaf, "serial", a->c->serial);
    leaf_set_base64(leaf, "certificate", a->c->der);
    return append(a->db, a->r, leaf, e);
}

/* Nothing is known of it but its number, and that it is revoked. */
static int
end(const struct adopting *a, struct err *e)
{
    CLEANUP(leaf_cleanup) struct leaf *leaf = leaf_new(LEAF_REJECTED, a->c->when.now);

    leaf_set_hex(leaf, "rid", rid_of(a));
    leaf_set_hex(leaf, "serial", a->c->serial);
    leaf_set_text(leaf, "reason", "only the CRL that was out has it");
    /* Its last leaf is the REVOKED behind that. */
    return append(a->db, a->r, leaf, e) != 0 ||
                   restored_revoke(a->db, a->c->serial, a->c->reason, a->c->when, e) != 0
               ? -1
               : store_exec(a->db, "UPDATE request SET leaf = leaf + 1 WHERE rid = ?1",
                            STORE_VALUES(store_blob(rid_of(a))), e);
}

int
restored_adopt(struct store_db *db, struct rebuild *r, const struct restored_certificate *c,
               struct err *e)
{
    struct adopting a = {.db = db, .r = r, .c = c};
    bool there;

    if (find_intent(&a, &there, e) != 0 || say_adopted(&a, e) != 0 ||
        (!there && intend(&a, e) != 0)) {
        return -1;
    }
    return c->der.n > 0 ? issue(&a, e) : end(&a, e);
}
