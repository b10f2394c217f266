/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests and their way to a certificate. Invariants, each kept by a constraint or trigger in
 * ca.sql besides: a rid has one row for ever, a serial one TBS, a row never goes back.
 */
#include "db/issuance/issuance.h"

#include <assert.h>
#include <string.h>

#include "db/issuance/rows.h"

const char *
issuance_outcome_text(enum issuance_outcome outcome)
{
    switch (outcome) {
    case ISSUANCE_DONE:
        return "done";
    case ISSUANCE_KNOWN:
        return "known already";
    case ISSUANCE_SIGNER_UNKNOWN:
        return "the signer's certificate is not one of ours in this role, or is revoked";
    case ISSUANCE_NOT_REGISTERED:
        return "not registered, cancelled, or out of the registration's window";
    case ISSUANCE_USED_UP:
        return "all certificates of the registration were issued";
    case ISSUANCE_TRANSACTION_IN_USE:
        return "the transactionID is in use";
    case ISSUANCE_KEY_TAKEN:
        return "the public key is certified to another owner";
    case ISSUANCE_PROOF_SHARED:
        return "another live registration has the same proof: cancel one of them";
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
    case ISSUANCE_UNWANTED:
        return "the network function rejected the last certificate of this profile";
    case ISSUANCE_REPLACED:
        return "done, in the place of what was not confirmed";
    case ISSUANCE_AGAIN:
        return "answered with the certificate of an earlier request";
    case ISSUANCE_SIGNING:
        return "a renewal of this certificate is being signed";
    case ISSUANCE_RENEWED:
        return "a renewal of this certificate waits for its certConf";
    case ISSUANCE_RENEWAL_WAITS:
        return "a renewal of this certificate waits for the approval of officers";
    case ISSUANCE_SUCCEEDED:
        return "this certificate was renewed, and its successor confirmed";
    case ISSUANCE_TOO_OFTEN:
        return "too many renewals under this registration were rejected or not confirmed";
    }
    return "unknown outcome";
}

/* ---- what others need, too ---- */

int
issuance_is_ours(struct store_db *db, struct span der, enum issuance_role role, bool *ours,
                 struct err *e)
{
    enum issuance_role found;

    *ours = false;
    if (issuance_role_of(db, der, &found, e) != 0) {
        return -1;
    }
    *ours = found == role;
    return 0;
}

int
issuance_revoke_as(struct store_db *db, const struct issuance_revoked *r, struct issuance_when when,
                   uint64_t *index, struct err *e)
{
    CLEANUP(leaf_cleanup) struct leaf *leaf = leaf_new(LEAF_REVOKED, when.now);
    uint64_t at;

    assert(when.date <= when.now && when.now - when.date <= LEAF_BACKDATE_MAX);
    leaf_set_hex(leaf, "serial", r->serial);
    leaf_set_int(leaf, "reason", r->reason);
    leaf_set_time(leaf, "revocationDate", when.date);
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
    if (store_exec(db,
                   "INSERT INTO revocation(serial, revoked, reason, not_after, crl_date) "
                   "VALUES(?1, ?2, ?3, ?4, ?5)",
                   STORE_VALUES(store_blob(r->serial), store_int(when.now), store_int(r->reason),
                                store_int(r->not_after), store_int(when.date)),
                   e) != 0 ||
        ledger_append(db, leaf, &at, e) != 0) {
        return -1;
    }
    if (index != NULL) {
        *index = at;
    }
    return store_exec(db,
                      "UPDATE certificate SET revoked = ?1 WHERE request = (SELECT rowid FROM "
                      "request WHERE serial = ?2)",
                      STORE_VALUES(store_int((int64_t)at), store_blob(r->serial)), e);
}

int
issuance_revoke_row(struct store_db *db, struct span serial, time_t not_after, int reason,
                    const char *by, struct issuance_when when, uint64_t *index, struct err *e)
{
    const struct issuance_revoked r = {
        .serial = serial, .not_after = not_after, .reason = reason, .by = by};

    return issuance_revoke_as(db, &r, when, index, e);
}

/* ---- an end without a certificate ---- */

int
issuance_append_refusal(struct store_db *db, struct span rid, const char *registration,
                        int fail_info, const char *reason, time_t now, uint64_t *index,
                        struct err *e)
{
    CLEANUP(leaf_cleanup) struct leaf *leaf = leaf_new(LEAF_REFUSAL, now);

    leaf_set_hex(leaf, "rid", rid);
    if (registration != NULL) {
        leaf_set_text(leaf, "registration", registration);
    }
    leaf_set_int(leaf, "failInfo", fail_info);
    leaf_set_text(leaf, "reason", reason);
    return ledger_append(db, leaf, index, e);
}

int
issuance_refuse(struct store_db *db, const struct issuance_refusal *r, uint64_t *leaf_index,
                enum issuance_outcome *outcome, struct err *e)
{
    CLEANUP(buf_free) struct buf evidence = {0};
    bool known;
    bool ours;

    if (issuance_is_known(db, r->rid, &known, e) != 0 ||
        issuance_is_ours(db, r->ra_der, ISSUANCE_RA, &ours, e) != 0) {
        return -1;
    }
    *outcome = known ? ISSUANCE_KNOWN : ours ? ISSUANCE_DONE : ISSUANCE_SIGNER_UNKNOWN;
    if (*outcome != ISSUANCE_DONE) {
        return 0;
    }
    if (issuance_append_refusal(db, r->rid, r->registration, r->fail_info, r->reason, r->now,
                                leaf_index, e) != 0 ||
        packed_make(db, "request", r->evidence, &evidence, e) != 0) {
        return -1;
    }
    /* The transactionID stays free: it is taken by what was accepted only. */
    return store_exec(
        db,
        "INSERT INTO request(rid, state, registration, profile, evidence, queue_sequence, "
        "queue_previous, fail_info, phrase, created, leaf) "
        "VALUES(?1, 2, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
        STORE_VALUES(store_blob(r->rid), store_text(r->registration), store_text(r->profile),
                     store_blob(buf_span(&evidence)), store_int((int64_t)r->queue_sequence),
                     store_blob(r->queue_previous), store_int(r->fail_info), store_text(r->phrase),
                     store_int(r->now), store_int((int64_t)*leaf_index)),
        e);
}

/* ---- T2: the signature is there ---- */

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
    CLEANUP(issuance_request_free) struct issuance_request q = {0};
    CLEANUP(leaf_cleanup) struct leaf *leaf = leaf_new(LEAF_ISSUED, now);
    struct span serial = span_of(q.serial, sizeof(q.serial));
    bool found;

    if (issuance_find(db, rid, &q, &found, e) != 0) {
        return -1;
    }
    if (!found || q.state != ISSUANCE_INTENT) {
        return err_set(e, ERR_CONFLICT, "no such intent");
    }
    leaf_set_hex(leaf, "rid", rid);
    leaf_set_hex(leaf, "serial", serial);
    leaf_set_base64(leaf, "certificate", certificate);
    if (ledger_append(db, leaf, leaf_index, e) != 0 ||
        store_exec(
            db,
            "INSERT INTO certificate(request, leaf, nf_instance, profile, not_after, issued) "
            "SELECT q.rowid, ?2, g.nf_instance, q.profile, q.not_after, ?3 "
            "FROM request q LEFT JOIN registration g ON g.id = q.registration "
            "WHERE q.rid = ?1",
            STORE_VALUES(store_blob(rid), store_int((int64_t)*leaf_index), store_int(now)),
            e) != 0) {
        return -1;
    }
    return issuance_advance(db, rid, ISSUANCE_INTENT, ISSUANCE_ISSUED, *leaf_index, e);
}

int
issuance_append_rejected(struct store_db *db, const struct issuance_request *q, bool by_holder,
                         struct span cert_conf, const char *reason, time_t now, uint64_t *index,
                         struct err *e)
{
    CLEANUP(leaf_cleanup) struct leaf *leaf = leaf_new(LEAF_REJECTED, now);

    leaf_set_hex(leaf, "rid", span_of(q->rid, sizeof(q->rid)));
    leaf_set_hex(leaf, "serial", span_of(q->serial, sizeof(q->serial)));
    leaf_set_text(leaf, "reason", reason);
    if (by_holder) {
        leaf_set_text(leaf, "registration", q->registration);
    }
    if (cert_conf.n > 0) {
        leaf_set_hex(leaf, "certConf", cert_conf);
    }
    return ledger_append(db, leaf, index, e);
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
issuance_abandon(struct store_db *db, struct span rid, int fail_info, const char *phrase,
                 const char *reason, struct issuance_when when, uint64_t *leaf, struct err *e)
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
        issuance_append_rejected(db, &q, false, span_of(NULL, 0), reason, when.now, &rejected, e) !=
            0 ||
        issuance_revoke_row(db, span_of(q.serial, sizeof(q.serial)), not_after, ISSUANCE_CESSATION,
                            "abandoned", when, leaf, e) != 0) {
        return -1;
    }
    if (store_exec(db,
                   "UPDATE registration SET used = used - 1 WHERE id = "
                   "(SELECT registration FROM request WHERE rid = ?1 AND renews IS NULL AND "
                   "instead_of IS NULL)",
                   STORE_VALUES(store_blob(rid)), e) != 0 ||
        store_exec(db, "UPDATE request SET fail_info = ?1, phrase = ?2 WHERE rid = ?3",
                   STORE_VALUES(store_int(fail_info), store_text(phrase), store_blob(rid)),
                   e) != 0) {
        return -1;
    }
    return issuance_advance(db, rid, ISSUANCE_INTENT, ISSUANCE_ABANDONED, *leaf, e);
}
