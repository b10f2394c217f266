/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "db/issuance/rows.h"

void
issuance_request_free(struct issuance_request *r)
{
    buf_free(&r->requester);
    buf_free(&r->tbs);
    buf_free(&r->certificate);
}

#define COLUMNS(cert_req_id, leaf, from)                                                           \
    "SELECT q.rid, q.state, q.registration, g.nf_instance, q.profile, q.assurance, "               \
    "q.requester, " cert_req_id ", q.serial, unpacked(q.tbs), " ISSUANCE_DER                       \
    ", q.fail_info, q.phrase, q.created, " leaf ", "                                               \
    "c.revoked IS NOT NULL OR q.state = 5, coalesce(q.not_before, q.created) FROM " from           \
    "LEFT JOIN registration g ON g.id = q.registration "                                           \
    "LEFT JOIN " ISSUANCE_CERTIFICATE "LEFT JOIN " ISSUANCE_ISSUED_LEAF
#define REQUEST_COLUMNS COLUMNS("q.cert_req_id", "q.leaf", "request q ")
/* What was asked again: the request that got the certificate, as the answer to this one. */
#define AGAIN_COLUMNS                                                                              \
    COLUMNS("a.cert_req_id", "max(a.leaf, q.leaf)", "again a JOIN request q ON q.rid = a.request ")

static int
request_from(const struct store_rows *rows, struct issuance_request *out, struct err *e)
{
    memset(out, 0, sizeof(*out));
    out->requester = BUF_INIT(64);
    out->tbs = BUF_INIT(ISSUANCE_TBS_MAX);
    out->certificate = BUF_INIT(ISSUANCE_TBS_MAX * 2);
    if (row_copy_octets(rows, 0, out->rid, sizeof(out->rid), e) != 0) {
        return -1;
    }
    out->state = (enum issuance_state)row_int(rows, 1);
    row_copy_text(rows, 2, out->registration, sizeof(out->registration));
    row_copy_text(rows, 3, out->nf_instance, sizeof(out->nf_instance));
    row_copy_text(rows, 4, out->profile, sizeof(out->profile));
    out->assurance = row_int(rows, 5) == ISSUANCE_SIGNATURE ? ISSUANCE_SIGNATURE : ISSUANCE_MAC;
    out->cert_req_id = (int)row_int(rows, 7);
    out->fail_info = (int)row_int(rows, 11);
    row_copy_text(rows, 12, out->phrase, sizeof(out->phrase));
    out->created = (time_t)row_int(rows, 13);
    out->leaf = (uint64_t)row_int(rows, 14);
    out->revoked = row_int(rows, 15) != 0;
    out->not_before = (time_t)row_int(rows, 16);
    if (!row_is_null(rows, 8) &&
        row_copy_octets(rows, 8, out->serial, sizeof(out->serial), e) != 0) {
        return -1;
    }
    if (buf_set(&out->requester, row_blob(rows, 6), e) != 0 ||
        buf_set(&out->tbs, row_blob(rows, 9), e) != 0) {
        return -1;
    }
    return buf_set(&out->certificate, row_blob(rows, 10), e);
}

static int
request_query(struct store_db *db, const char *sql, const struct store_value *values, size_t n,
              struct issuance_request *out, bool *found, struct err *e)
{
    CLEANUP(store_end) struct store_rows rows = {0};

    *found = false;
    if (store_query(db, &rows, sql, values, n, e) != 0 || store_next(&rows, found, e) != 0) {
        return -1;
    }
    return *found ? request_from(&rows, out, e) : 0;
}

int
issuance_find(struct store_db *db, struct span rid, struct issuance_request *out, bool *found,
              struct err *e)
{
    if (request_query(db, REQUEST_COLUMNS "WHERE q.rid = ?1", STORE_VALUES(store_blob(rid)), out,
                      found, e) != 0) {
        return -1;
    }
    return *found ? 0
                  : request_query(db, AGAIN_COLUMNS "WHERE a.rid = ?1",
                                  STORE_VALUES(store_blob(rid)), out, found, e);
}

int
issuance_find_transaction(struct store_db *db, const char *registration, struct span transaction_id,
                          struct issuance_request *out, bool *found, struct err *e)
{
    if (request_query(db, REQUEST_COLUMNS "WHERE q.registration = ?1 AND q.transaction_id = ?2",
                      STORE_VALUES(store_text(registration), store_blob(transaction_id)), out,
                      found, e) != 0) {
        return -1;
    }
    return *found
               ? 0
               : request_query(db,
                               AGAIN_COLUMNS "WHERE a.registration = ?1 AND a.transaction_id = ?2",
                               STORE_VALUES(store_text(registration), store_blob(transaction_id)),
                               out, found, e);
}

int
issuance_open_each(struct store_db *db, time_t officers_before, int limit,
                   void (*visit)(void *arg, const struct issuance_request *), void *arg,
                   struct err *e)
{
    CLEANUP(store_end) struct store_rows rows = {0};
    bool row = true;

    if (store_query(db, &rows,
                    REQUEST_COLUMNS
                    "WHERE q.state = 0 AND (q.registration IS NOT NULL OR q.created < ?1) "
                    "ORDER BY q.created LIMIT ?2",
                    STORE_VALUES(store_int(officers_before), store_int(limit)), e) != 0) {
        return -1;
    }
    while (store_next(&rows, &row, e) == 0) {
        CLEANUP(issuance_request_free) struct issuance_request request = {0};

        if (!row) {
            return 0;
        }
        if (request_from(&rows, &request, e) != 0) {
            return -1;
        }
        visit(arg, &request);
    }
    return -1;
}

int
issuance_is_known(struct store_db *db, struct span rid, bool *known, struct err *e)
{
    return store_has_row(db,
                         "SELECT 1 FROM request WHERE rid = ?1 UNION ALL "
                         "SELECT 1 FROM again WHERE rid = ?1",
                         STORE_VALUES(store_blob(rid)), known, e);
}
