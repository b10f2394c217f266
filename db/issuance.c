/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests and their way to a certificate. Invariants, each kept by a constraint or trigger in
 * ca.sql besides: a rid has one row for ever, a serial one TBS, a row never goes back.
 */
#include "db/issuance.h"

#include <stdio.h>
#include <string.h>

#include "db/issuance_rows.h"
#include "db/ledger.h"

const char *
issuance_outcome_text(enum issuance_outcome outcome)
{
    switch (outcome) {
    case ISSUANCE_DONE:
        return "done";
    case ISSUANCE_KNOWN:
        return "known already";
    case ISSUANCE_SIGNER_UNKNOWN:
        return "the signer's certificate is not one of ours, or is revoked";
    case ISSUANCE_NOT_REGISTERED:
        return "not registered, cancelled, or out of the registration's window";
    case ISSUANCE_USED_UP:
        return "all certificates of the registration were issued";
    case ISSUANCE_TRANSACTION_IN_USE:
        return "the transactionID is in use";
    case ISSUANCE_KEY_TAKEN:
        return "the public key is certified to another owner";
    case ISSUANCE_OWNED:
        return "the nfInstanceId has a live registration: cancel it first";
    case ISSUANCE_REPEATED:
        return "the same content was registered before: sign one with another notBefore or "
               "notAfter";
    case ISSUANCE_CLOSED:
        return "the state does not allow it any more";
    case ISSUANCE_NOT_APPROVED:
        return "not approved by as many officers as the profile demands, or not in time";
    case ISSUANCE_HOLDER_REVOKED:
        return "the certificate that signs is revoked";
    case ISSUANCE_SUPERSEDES_NOTHING:
        return "supersedes does not name the live registration of this nfInstanceId";
    case ISSUANCE_RENEWED:
        return "a renewal of this certificate was issued: confirm or reject it first";
    }
    return "unknown outcome";
}

/* ---- what others need, too ---- */

int
issuance_append(struct store_db *db, struct leaf *leaf, uint64_t *index, struct err *e)
{
    uint64_t ignored;

    return ledger_append(db, leaf, index == NULL ? &ignored : index, e);
}

int
issuance_is_ours(struct store_db *db, struct span der, const char *profile, bool *ours,
                 struct err *e)
{
    CLEANUP(store_end) struct store_rows rows = {0};

    *ours = false;
    if (store_query(db, &rows,
                    "SELECT 1 FROM certificate c WHERE c.profile = ?1 AND c.nf_instance IS NULL "
                    "AND c.der = ?2 AND NOT EXISTS "
                    "(SELECT 1 FROM revocation r WHERE r.serial = c.serial)",
                    STORE_VALUES(store_text(profile), store_blob(der)), e) != 0) {
        return -1;
    }
    return store_next(&rows, ours, e);
}

int
issuance_revoke_as(struct store_db *db, const struct issuance_revoked *r, time_t now,
                   uint64_t *index, struct err *e)
{
    CLEANUP(leaf_cleanup) struct leaf *leaf = leaf_new(LEAF_REVOKED, now);

    leaf_set_hex(leaf, "serial", r->serial);
    leaf_set_int(leaf, "reason", r->reason);
    if (r->by != NULL) {
        leaf_set_text(leaf, "by", r->by);
    }
    if (r->asked.n > 0) {
        leaf_set_hex(leaf, "rr", r->asked);
    }
    if (r->has_invalidity) {
        leaf_set_time(leaf, "invalidityDate", r->invalidity_date);
    }
    if (r->superseded_by.n > 0) {
        leaf_set_hex(leaf, "supersededBy", r->superseded_by);
    }
    if (store_exec(
            db, "INSERT INTO revocation(serial, revoked, reason, not_after) VALUES(?1, ?2, ?3, ?4)",
            STORE_VALUES(store_blob(r->serial), store_int(now), store_int(r->reason),
                         store_int(r->not_after)),
            e) != 0) {
        return -1;
    }
    return issuance_append(db, leaf, index, e);
}

int
issuance_revoke_row(struct store_db *db, struct span serial, time_t not_after, int reason,
                    const char *by, time_t now, uint64_t *index, struct err *e)
{
    const struct issuance_revoked r = {
        .serial = serial, .not_after = not_after, .reason = reason, .by = by};

    return issuance_revoke_as(db, &r, now, index, e);
}

/* ---- reading ---- */

void
issuance_request_free(struct issuance_request *r)
{
    buf_free(&r->requester);
    buf_free(&r->tbs);
    buf_free(&r->certificate);
}

static void
copy_text(char *out, size_t size, const char *text)
{
    (void)snprintf(out, size, "%s", text == NULL ? "" : text);
}

static int
copy_octets(uint8_t *out, size_t size, struct span from, struct err *e)
{
    if (from.n != size) {
        return err_set(e, ERR_STORE, "ca.db: %zu octets where %zu belong", from.n, size);
    }
    memcpy(out, from.p, size);
    return 0;
}

#define REQUEST_COLUMNS                                                                            \
    "SELECT q.rid, q.state, q.registration, g.nf_instance, q.profile, q.assurance, q.requester, "  \
    "q.cert_req_id, q.serial, q.tbs, c.der, q.fail_info, q.phrase, q.created, q.leaf, "            \
    "v.serial IS NOT NULL FROM request q LEFT JOIN registration g ON g.id = q.registration "       \
    "LEFT JOIN certificate c ON c.rid = q.rid LEFT JOIN revocation v ON v.serial = q.serial "

static int
request_from(const struct store_rows *rows, struct issuance_request *out, struct err *e)
{
    memset(out, 0, sizeof(*out));
    out->requester = BUF_INIT(64);
    out->tbs = BUF_INIT(ISSUANCE_TBS_MAX);
    out->certificate = BUF_INIT(ISSUANCE_TBS_MAX * 2);
    if (copy_octets(out->rid, sizeof(out->rid), row_blob(rows, 0), e) != 0) {
        return -1;
    }
    out->state = (enum issuance_state)row_int(rows, 1);
    copy_text(out->registration, sizeof(out->registration), row_text(rows, 2));
    copy_text(out->nf_instance, sizeof(out->nf_instance), row_text(rows, 3));
    copy_text(out->profile, sizeof(out->profile), row_text(rows, 4));
    out->assurance = row_int(rows, 5) == ISSUANCE_SIGNATURE ? ISSUANCE_SIGNATURE : ISSUANCE_MAC;
    out->cert_req_id = (int)row_int(rows, 7);
    out->fail_info = (int)row_int(rows, 11);
    copy_text(out->phrase, sizeof(out->phrase), row_text(rows, 12));
    out->created = (time_t)row_int(rows, 13);
    out->leaf = (uint64_t)row_int(rows, 14);
    out->revoked = row_int(rows, 15) != 0;
    if (!row_is_null(rows, 8) &&
        copy_octets(out->serial, sizeof(out->serial), row_blob(rows, 8), e) != 0) {
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
    return request_query(db, REQUEST_COLUMNS "WHERE q.rid = ?1", STORE_VALUES(store_blob(rid)), out,
                         found, e);
}

int
issuance_find_transaction(struct store_db *db, const char *registration, struct span transaction_id,
                          struct issuance_request *out, bool *found, struct err *e)
{
    return request_query(db, REQUEST_COLUMNS "WHERE q.registration = ?1 AND q.transaction_id = ?2",
                         STORE_VALUES(store_text(registration), store_blob(transaction_id)), out,
                         found, e);
}

int
issuance_next_open(struct store_db *db, time_t officers_before, struct issuance_request *out,
                   bool *found, struct err *e)
{
    return request_query(db,
                         REQUEST_COLUMNS
                         "WHERE q.state = 0 AND (q.registration IS NOT NULL OR q.created < ?1) "
                         "ORDER BY q.created LIMIT 1",
                         STORE_VALUES(store_int(officers_before)), out, found, e);
}

static int
is_known(struct store_db *db, struct span rid, bool *known, struct err *e)
{
    CLEANUP(store_end) struct store_rows rows = {0};

    if (store_query(db, &rows, "SELECT 1 FROM request WHERE rid = ?1",
                    STORE_VALUES(store_blob(rid)), e) != 0) {
        return -1;
    }
    return store_next(&rows, known, e);
}

/* ---- T1 ---- */

static int
check_registration(struct store_db *db, const struct issuance_intent *i,
                   enum issuance_outcome *outcome, struct err *e)
{
    CLEANUP(store_end) struct store_rows rows = {0};
    bool row;
    bool live;
    bool open;

    if (store_query(db, &rows,
                    "SELECT state, not_before, not_after, used + (SELECT count(*) FROM pending p "
                    "WHERE p.registration = id AND p.open = 1 AND p.renews IS NULL AND p.rid <> "
                    "?3) FROM registration "
                    "WHERE id = ?1 AND nf_instance = ?2",
                    STORE_VALUES(store_text(i->registration), store_text(i->nf_instance),
                                 store_blob(i->rid)),
                    e) != 0 ||
        store_next(&rows, &row, e) != 0) {
        return -1;
    }
    live = row && row_int(&rows, 0) == ISSUANCE_LIVE;
    /* The window and the uses are those of initial certificates. */
    open = live && (i->renews.n > 0 || (row_int(&rows, 1) <= i->now && row_int(&rows, 2) > i->now));
    if (!open) {
        *outcome = ISSUANCE_NOT_REGISTERED;
    } else if (i->renews.n == 0 && row_int(&rows, 3) >= i->certificates) {
        *outcome = ISSUANCE_USED_UP;
    }
    return 0;
}

static int
check_transaction(struct store_db *db, const struct issuance_intent *i,
                  enum issuance_outcome *outcome, struct err *e)
{
    CLEANUP(store_end) struct store_rows rows = {0};
    bool row;

    if (store_query(
            db, &rows,
            "SELECT 1 FROM request WHERE registration = ?1 AND transaction_id = ?2 UNION ALL "
            "SELECT 1 FROM pending WHERE registration = ?1 AND transaction_id = ?2 AND rid <> ?3",
            STORE_VALUES(store_text(i->registration), store_blob(i->transaction_id),
                         store_blob(i->rid)),
            e) != 0 ||
        store_next(&rows, &row, e) != 0) {
        return -1;
    }
    if (row) {
        *outcome = ISSUANCE_TRANSACTION_IN_USE;
    }
    return 0;
}

/* A key certified to one owner is not certified to another (a cloned key is a stolen identity). */
static int
check_key(struct store_db *db, const struct issuance_intent *i, enum issuance_outcome *outcome,
          struct err *e)
{
    const char *owner = i->nf_instance == NULL ? "infrastructure" : i->nf_instance;
    CLEANUP(store_end) struct store_rows rows = {0};
    bool row;

    if (store_query(db, &rows, "SELECT owner FROM public_key WHERE sha256 = ?1",
                    STORE_VALUES(store_blob(i->spki_sha256)), e) != 0 ||
        store_next(&rows, &row, e) != 0) {
        return -1;
    }
    if (row) {
        *outcome = strcmp(row_text(&rows, 0), owner) == 0 ? *outcome : ISSUANCE_KEY_TAKEN;
        return 0;
    }
    store_end(&rows);
    return *outcome != ISSUANCE_DONE
               ? 0
               : store_exec(db, "INSERT INTO public_key(sha256, owner) VALUES(?1, ?2)",
                            STORE_VALUES(store_blob(i->spki_sha256), store_text(owner)), e);
}

int
issuance_append_request(struct store_db *db, const struct issuance_intent *i, uint64_t *index,
                        struct err *e)
{
    CLEANUP(leaf_cleanup) struct leaf *leaf = leaf_new(LEAF_REQUEST, i->now);

    leaf_set_hex(leaf, "rid", i->rid);
    leaf_set_text(leaf, "registration", i->registration);
    leaf_set_text(leaf, "profile", i->profile);
    leaf_set_text(leaf, "assurance", i->assurance == ISSUANCE_SIGNATURE ? "signature" : "mac");
    leaf_set_int(leaf, "qseq", (int64_t)i->queue_sequence);
    if (i->approvals > 0) {
        leaf_set_int(leaf, "approvals", i->approvals);
    }
    return issuance_append(db, leaf, index, e);
}

static int
append_intent_leaf(struct store_db *db, const struct issuance_intent *i, uint64_t *index,
                   struct err *e)
{
    CLEANUP(leaf_cleanup) struct leaf *leaf = leaf_new(LEAF_INTENT, i->now);
    uint8_t hash[SHA256_SIZE];

    if (sha256(i->tbs, hash, e) != 0) {
        return -1;
    }
    leaf_set_hex(leaf, "rid", i->rid);
    leaf_set_hex(leaf, "serial", i->serial);
    leaf_set_text(leaf, "profile", i->profile);
    leaf_set_hex(leaf, "tbs", span_of(hash, sizeof(hash)));
    leaf_set_time(leaf, "notBefore", i->not_before);
    leaf_set_time(leaf, "notAfter", i->not_after);
    if (i->profile_file.n > 0) {
        leaf_set_hex(leaf, "profileFile", i->profile_file);
    }
    if (i->registration != NULL) {
        leaf_set_text(leaf, "nfInstanceId", i->nf_instance);
        leaf_set_text(leaf, "registration", i->registration);
        leaf_set_text(leaf, "assurance", i->assurance == ISSUANCE_SIGNATURE ? "signature" : "mac");
    }
    if (i->approvals > 0) {
        leaf_set_int(leaf, "approvals", i->approvals);
    }
    if (i->renews.n > 0) {
        leaf_set_hex(leaf, i->is_update ? "updates" : "renews", i->renews);
    }
    return issuance_append(db, leaf, index, e);
}

static struct store_value
number_or_null(bool there, int64_t number)
{
    return there ? store_int(number) : store_null();
}

static struct store_value
blob_or_null(bool there, struct span bytes)
{
    return there ? store_blob(bytes) : store_null();
}

static int
insert_intent(struct store_db *db, const struct issuance_intent *i, struct err *e)
{
    const bool nf = i->registration != NULL;
    uint64_t leaf;

    if (nf && i->renews.n == 0 &&
        store_exec(db, "UPDATE registration SET used = used + 1 WHERE id = ?1",
                   STORE_VALUES(store_text(i->registration)), e) != 0) {
        return -1;
    }
    /* what waited has its leaf REQUEST already */
    if (nf && i->approvals == 0 && issuance_append_request(db, i, NULL, e) != 0) {
        return -1;
    }
    if (append_intent_leaf(db, i, &leaf, e) != 0) {
        return -1;
    }
    return store_exec(
        db,
        "INSERT INTO request(rid, state, registration, transaction_id, cert_req_id, assurance, "
        "requester, profile, evidence, queue_sequence, queue_previous, serial, tbs, not_after, "
        "created, leaf, renews, is_update, confirm, profile_file) "
        "VALUES(?1, 0, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, "
        "?18, ?19)",
        STORE_VALUES(store_blob(i->rid), store_text(i->registration),
                     blob_or_null(nf, i->transaction_id), number_or_null(nf, i->cert_req_id),
                     number_or_null(nf, i->assurance),
                     blob_or_null(nf && i->requester.n > 0, i->requester), store_text(i->profile),
                     store_blob(i->evidence), number_or_null(nf, (int64_t)i->queue_sequence),
                     blob_or_null(nf, i->queue_previous), store_blob(i->serial), store_blob(i->tbs),
                     store_int(i->not_after), store_int(i->not_before), store_int((int64_t)leaf),
                     blob_or_null(i->renews.n > 0, i->renews), store_int(i->is_update ? 1 : 0),
                     store_int(nf ? i->confirm : ISSUANCE_IMPLICIT),
                     blob_or_null(i->profile_file.n > 0, i->profile_file)),
        e);
}

/* The rules for a network function's request, one after the other until one says no. */
static int
check_nf(struct store_db *db, const struct issuance_intent *i, enum issuance_outcome *outcome,
         struct err *e)
{
    bool ours;

    if (issuance_is_ours(db, i->ra_der, "ra-cmp", &ours, e) != 0) {
        return -1;
    }
    if (!ours) {
        *outcome = ISSUANCE_SIGNER_UNKNOWN;
        return 0;
    }
    if (issuance_check_holder(db, i, outcome, e) != 0 ||
        (*outcome == ISSUANCE_DONE && check_registration(db, i, outcome, e) != 0)) {
        return -1;
    }
    return *outcome == ISSUANCE_DONE ? check_transaction(db, i, outcome, e) : 0;
}

int
issuance_admissible(struct store_db *db, const struct issuance_intent *i,
                    enum issuance_outcome *outcome, struct err *e)
{
    bool known;

    *outcome = ISSUANCE_DONE;
    if (is_known(db, i->rid, &known, e) != 0) {
        return -1;
    }
    if (known || i->registration == NULL) {
        *outcome = known ? ISSUANCE_KNOWN : ISSUANCE_DONE;
        return 0;
    }
    return check_nf(db, i, outcome, e);
}

int
issuance_intend(struct store_db *db, const struct issuance_intent *i,
                enum issuance_outcome *outcome, struct err *e)
{
    if (issuance_admissible(db, i, outcome, e) != 0 ||
        (*outcome == ISSUANCE_DONE && i->approvals > 0 &&
         issuance_check_approved(db, i, outcome, e) != 0) ||
        (*outcome == ISSUANCE_DONE && check_key(db, i, outcome, e) != 0)) {
        return -1;
    }
    return *outcome == ISSUANCE_DONE ? insert_intent(db, i, e) : 0;
}

int
issuance_refuse(struct store_db *db, const struct issuance_refusal *r, uint64_t *leaf_index,
                enum issuance_outcome *outcome, struct err *e)
{
    CLEANUP(leaf_cleanup) struct leaf *leaf = leaf_new(LEAF_REFUSAL, r->now);
    bool known;
    bool ours;

    if (is_known(db, r->rid, &known, e) != 0 ||
        issuance_is_ours(db, r->ra_der, "ra-cmp", &ours, e) != 0) {
        return -1;
    }
    *outcome = known ? ISSUANCE_KNOWN : ours ? ISSUANCE_DONE : ISSUANCE_SIGNER_UNKNOWN;
    if (*outcome != ISSUANCE_DONE) {
        return 0;
    }
    leaf_set_hex(leaf, "rid", r->rid);
    if (r->registration != NULL) {
        leaf_set_text(leaf, "registration", r->registration);
    }
    leaf_set_int(leaf, "failInfo", r->fail_info);
    leaf_set_text(leaf, "reason", r->reason);
    if (issuance_append(db, leaf, leaf_index, e) != 0) {
        return -1;
    }
    /* The transactionID stays free: it is taken by what was accepted only. */
    return store_exec(
        db,
        "INSERT INTO request(rid, state, registration, profile, evidence, queue_sequence, "
        "queue_previous, fail_info, phrase, created, leaf) "
        "VALUES(?1, 2, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
        STORE_VALUES(store_blob(r->rid), store_text(r->registration), store_text(r->profile),
                     store_blob(r->evidence), store_int((int64_t)r->queue_sequence),
                     store_blob(r->queue_previous), store_int(r->fail_info), store_text(r->phrase),
                     store_int(r->now), store_int((int64_t)*leaf_index)),
        e);
}

/* ---- T2 ---- */

int
issuance_advance(struct store_db *db, struct span rid, enum issuance_state from,
                 enum issuance_state to, uint64_t leaf, struct err *e)
{
    if (store_exec(
            db, "UPDATE request SET state = ?1, leaf = ?2 WHERE rid = ?3 AND state = ?4",
            STORE_VALUES(store_int(to), store_int((int64_t)leaf), store_blob(rid), store_int(from)),
            e) != 0) {
        return -1;
    }
    return store_changes(db) == 1 ? 0 : err_set(e, ERR_CONFLICT, "the request's state is another");
}

int
issuance_issue(struct store_db *db, struct span rid, struct span certificate, time_t now,
               uint64_t *leaf_index, struct err *e)
{
    CLEANUP(leaf_cleanup) struct leaf *leaf = leaf_new(LEAF_ISSUED, now);
    CLEANUP(store_end) struct store_rows rows = {0};

    if (store_query_one(db, &rows, "SELECT serial FROM request WHERE rid = ?1 AND state = 0",
                        STORE_VALUES(store_blob(rid)), e) != 0) {
        return err_set(e, e->code == ERR_NOTFOUND ? ERR_CONFLICT : e->code, "no such intent");
    }
    leaf_set_hex(leaf, "rid", rid);
    leaf_set_hex(leaf, "serial", row_blob(&rows, 0));
    leaf_set_base64(leaf, "certificate", certificate);
    store_end(&rows);
    if (issuance_append(db, leaf, leaf_index, e) != 0 ||
        store_exec(db,
                   "INSERT INTO certificate(serial, rid, der, nf_instance, profile, not_after, "
                   "issued) SELECT q.serial, q.rid, ?2, g.nf_instance, q.profile, q.not_after, ?3 "
                   "FROM request q LEFT JOIN registration g ON g.id = q.registration "
                   "WHERE q.rid = ?1",
                   STORE_VALUES(store_blob(rid), store_blob(certificate), store_int(now)),
                   e) != 0) {
        return -1;
    }
    return issuance_advance(db, rid, ISSUANCE_INTENT, ISSUANCE_ISSUED, *leaf_index, e);
}

int
issuance_append_rejected(struct store_db *db, const struct issuance_request *q, const char *reason,
                         time_t now, uint64_t *index, struct err *e)
{
    CLEANUP(leaf_cleanup) struct leaf *leaf = leaf_new(LEAF_REJECTED, now);

    leaf_set_hex(leaf, "rid", span_of(q->rid, sizeof(q->rid)));
    leaf_set_hex(leaf, "serial", span_of(q->serial, sizeof(q->serial)));
    leaf_set_text(leaf, "reason", reason);
    return issuance_append(db, leaf, index, e);
}

int
issuance_not_after(struct store_db *db, struct span rid, time_t *out, struct err *e)
{
    CLEANUP(store_end) struct store_rows rows = {0};

    if (store_query_one(db, &rows, "SELECT not_after FROM request WHERE rid = ?1",
                        STORE_VALUES(store_blob(rid)), e) != 0) {
        return -1;
    }
    *out = (time_t)row_int(&rows, 0);
    return 0;
}

int
issuance_abandon(struct store_db *db, struct span rid, int fail_info, const char *reason,
                 time_t now, uint64_t *leaf, struct err *e)
{
    CLEANUP(issuance_request_free) struct issuance_request q = {0};
    time_t not_after;
    uint64_t rejected;
    bool found;

    if (issuance_find(db, rid, &q, &found, e) != 0) {
        return -1;
    }
    if (!found || q.state != ISSUANCE_INTENT) {
        return err_set(e, ERR_CONFLICT, "no such intent");
    }
    if (issuance_not_after(db, rid, &not_after, e) != 0 ||
        issuance_append_rejected(db, &q, reason, now, &rejected, e) != 0 ||
        issuance_revoke_row(db, span_of(q.serial, sizeof(q.serial)), not_after, ISSUANCE_CESSATION,
                            "abandoned", now, leaf, e) != 0) {
        return -1;
    }
    if (store_exec(db,
                   "UPDATE registration SET used = used - 1 WHERE id = "
                   "(SELECT registration FROM request WHERE rid = ?1 AND renews IS NULL)",
                   STORE_VALUES(store_blob(rid)), e) != 0) {
        return -1;
    }
    if (store_exec(db, "UPDATE request SET fail_info = ?1, phrase = 'given up' WHERE rid = ?2",
                   STORE_VALUES(store_int(fail_info), store_blob(rid)), e) != 0) {
        return -1;
    }
    return issuance_advance(db, rid, ISSUANCE_INTENT, ISSUANCE_ABANDONED, *leaf, e);
}
