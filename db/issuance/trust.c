/* SPDX-License-Identifier: Apache-2.0 */
#include "db/issuance/trust.h"

#include <string.h>

#include "base/ossl.h"
#include "db/issuance/issuance.h"
#include "db/ledger/ledger.h"

enum { DAY_S = 24 * 60 * 60, ID_OCTETS = (ISSUANCE_ID_SIZE - 1) / 2 };

int
trust_row(struct store_db *db, const struct sealed_table *table, struct store_value key,
          bool *found, struct err *e)
{
    return sealed_row(db, table, &key, 1, found, e);
}

int
trust(struct store_db *db, const struct sealed_table *table, struct store_value key, struct err *e)
{
    bool found;

    return trust_row(db, table, key, &found, e);
}

int
trust_change(struct store_db *db, const struct sealed_table *table, struct store_value key,
             struct err *e)
{
    return sealed_change(db, table, &key, 1, e);
}

int
trust_nf(struct store_db *db, const char *nf_instance, struct err *e)
{
    return sealed_owner(db, ISSUANCE_OWNER_NF, store_text(nf_instance), e);
}

/* Leaves have lower-case digits alone: another text is of no registration. */
static bool
id_octets(const char *id, uint8_t out[ID_OCTETS])
{
    char again[ISSUANCE_ID_SIZE];
    struct err e;

    if (hex_parse(id, out, ID_OCTETS, &e) != 0) {
        return false;
    }
    hex_format(span_of(out, ID_OCTETS), again);
    return strcmp(again, id) == 0;
}

int
trust_registration(struct store_db *db, const char *id, struct err *e)
{
    uint8_t octets[ID_OCTETS];
    bool found;

    if (trust_row(db, &issuance_table_registration, store_text(id), &found, e) != 0) {
        return -1;
    }
    if (found || !id_octets(id, octets)) {
        return 0;
    }
    if (store_has_row(db,
                      "SELECT 1 FROM leaf_subject o JOIN leaf l ON l.idx = o.idx WHERE "
                      "o.subject = ?1 AND l.kind = 'REGISTRATION'",
                      STORE_VALUES(store_blob(span_of(octets, sizeof(octets)))), &found, e) != 0) {
        return -1;
    }
    return found ? err_set(e, ERR_STALE, "ca.db: registration %s: deleted", id) : 0;
}

int
trust_registered(struct store_db *db, const char *registration, struct err *e)
{
    CLEANUP(store_end) struct store_rows rows = {0};
    CLEANUP(mem_cleanup) char *nf_instance = NULL;
    bool row;

    if (registration == NULL || registration[0] == '\0') {
        return 0;
    }
    if (trust_registration(db, registration, e) != 0 ||
        store_query(db, &rows, "SELECT nf_instance FROM registration WHERE id = ?1",
                    STORE_VALUES(store_text(registration)), e) != 0 ||
        store_next(&rows, &row, e) != 0) {
        return -1;
    }
    if (!row) {
        return 0;
    }
    nf_instance = mem_strdup(row_text(&rows, 0));
    store_end(&rows);
    return trust_nf(db, nf_instance, e);
}

int
trust_certificate(struct store_db *db, struct span serial, struct err *e)
{
    CLEANUP(mem_cleanup) char *hex = hex_dup(serial);
    bool found;

    if (trust_row(db, &issuance_table_certificate, store_blob(serial), &found, e) != 0) {
        return -1;
    }
    if (found) {
        return 0;
    }
    if (store_has_row(db,
                      "SELECT 1 FROM leaf_subject o JOIN leaf l ON l.idx = o.idx WHERE "
                      "o.subject = ?1 AND l.kind = 'ISSUED'",
                      STORE_VALUES(store_blob(serial)), &found, e) != 0) {
        return -1;
    }
    return found ? err_set(e, ERR_STALE, "ca.db: certificate %s: deleted", hex) : 0;
}

int
trust_request(struct store_db *db, struct span rid, const char *registration, struct span serial,
              struct err *e)
{
    if (trust(db, &issuance_table_request, store_blob(rid), e) != 0 ||
        (registration != NULL && registration[0] != '\0' &&
         trust_registration(db, registration, e) != 0)) {
        return -1;
    }
    return serial.n == 0 ? 0 : trust_certificate(db, serial, e);
}

static int
trust_officers(struct store_db *db, struct span rid, struct err *e)
{
    CLEANUP(store_end) struct store_rows rows = {0};
    bool row = true;

    if (store_query(db, &rows, "SELECT officer FROM approval WHERE rid = ?1",
                    STORE_VALUES(store_blob(rid)), e) != 0) {
        return -1;
    }
    while (store_next(&rows, &row, e) == 0) {
        if (!row) {
            return 0;
        }
        if (trust_certificate(db, row_blob(&rows, 0), e) != 0) {
            return -1;
        }
    }
    return -1;
}

int
trust_pending(struct store_db *db, struct span rid, struct err *e)
{
    CLEANUP(store_end) struct store_rows rows = {0};
    CLEANUP(mem_cleanup) char *registration = NULL;
    bool row;

    if (trust(db, &issuance_table_pending, store_blob(rid), e) != 0 ||
        store_query(db, &rows, "SELECT registration FROM pending WHERE rid = ?1",
                    STORE_VALUES(store_blob(rid)), e) != 0 ||
        store_next(&rows, &row, e) != 0) {
        return -1;
    }
    if (!row) {
        return 0;
    }
    registration = mem_strdup(row_text(&rows, 0));
    store_end(&rows);
    return trust_registered(db, registration, e) != 0 ? -1 : trust_officers(db, rid, e);
}

int
trust_new_request(struct store_db *db, struct span rid, struct err *e)
{
    return trust_change(db, &issuance_table_request, store_blob(rid), e) != 0
               ? -1
               : trust_change(db, &issuance_table_pending, store_blob(rid), e);
}

/* What ended before the record began was not issued by us. */
static int
record_begins(struct store_db *db, time_t *at, struct err *e)
{
    CLEANUP(store_end) struct store_rows rows = {0};
    CLEANUP(leaf_cleanup) struct leaf *leaf = NULL;
    bool row;

    *at = 0;
    if (store_query(db, &rows, "SELECT body FROM leaf WHERE idx = 0", STORE_NO_VALUES, e) != 0 ||
        store_next(&rows, &row, e) != 0) {
        return -1;
    }
    if (row) {
        leaf = leaf_parse(row_blob(&rows, 0), e);
        if (leaf == NULL) {
            return -1;
        }
        *at = leaf_time(leaf);
    }
    return 0;
}

int
trust_revoked(struct store_db *db, time_t from, time_t until, struct err *e)
{
    time_t begins;

    if (sealed_state(db) != SEALED_ON) {
        return 0;
    }
    if (record_begins(db, &begins, e) != 0) {
        return -1;
    }
    from = from < begins ? begins : from;
    for (int64_t day = from / DAY_S; day <= until / DAY_S; day++) {
        if (sealed_owner(db, ISSUANCE_OWNER_DAY, store_int(day), e) != 0) {
            return -1;
        }
    }
    return 0;
}

int
trust_newest_crl(struct store_db *db, uint64_t *number, struct err *e)
{
    CLEANUP(store_end) struct store_rows rows = {0};

    if (store_query_one(db, &rows, "SELECT coalesce(max(number), 0) FROM crl", STORE_NO_VALUES,
                        e) != 0) {
        return -1;
    }
    *number = (uint64_t)row_int(&rows, 0);
    store_end(&rows);
    return trust(db, &issuance_table_crl, store_int((int64_t)*number), e) != 0
               ? -1
               : trust(db, &issuance_table_crl, store_int((int64_t)*number + 1), e);
}
