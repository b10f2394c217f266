/* SPDX-License-Identifier: Apache-2.0 */
#include "db/issuance/life/approval.h"

#include <string.h>

#include "db/issuance/rows.h"

enum { JSON_MAX = 64 * 1024 };

void
issuance_pending_free(struct issuance_pending *p)
{
    buf_free(&p->requester);
    buf_free(&p->evidence);
    buf_free(&p->registered_json);
}

/* ---- reading ---- */

/* Approvals of people whose certificates are revoked by now do not count. */
#define APPROVED                                                                                   \
    "(SELECT count(*) FROM approval a JOIN request q ON q.serial = a.officer "                     \
    "JOIN " ISSUANCE_CERTIFICATE "WHERE a.rid = "                                                  \
    "p.rid AND a.approves = 1 AND c.revoked IS NULL)"

#define PENDING_COLUMNS                                                                            \
    "SELECT p.rid, p.registration, g.nf_instance, p.profile, p.assurance, p.requester, "           \
    "p.spki_sha256, p.queue_sequence, p.queue_previous, p.approvals, " APPROVED                    \
    ", p.created, p.expires, p.leaf, p.open, g.state, unpacked(g.json), "

#define PENDING_FROM " FROM pending p JOIN registration g ON g.id = p.registration "

static int
pending_from(const struct store_rows *rows, struct issuance_pending *out, struct err *e)
{
    memset(out, 0, sizeof(*out));
    row_copy_text(rows, 1, out->registration, sizeof(out->registration));
    row_copy_text(rows, 2, out->nf_instance, sizeof(out->nf_instance));
    row_copy_text(rows, 3, out->profile, sizeof(out->profile));
    out->assurance = row_int(rows, 4) == ISSUANCE_SIGNATURE ? ISSUANCE_SIGNATURE : ISSUANCE_MAC;
    out->queue_sequence = (uint64_t)row_int(rows, 7);
    out->approvals = (int)row_int(rows, 9);
    out->approved = (int)row_int(rows, 10);
    out->created = (time_t)row_int(rows, 11);
    out->expires = (time_t)row_int(rows, 12);
    out->leaf = (uint64_t)row_int(rows, 13);
    out->open = row_int(rows, 14) != 0;
    out->registered = row_int(rows, 15) == ISSUANCE_LIVE;
    if (row_copy_octets(rows, 0, out->rid, sizeof(out->rid), e) != 0 ||
        row_copy_octets(rows, 6, out->spki_sha256, sizeof(out->spki_sha256), e) != 0 ||
        row_copy_octets(rows, 8, out->queue_previous, sizeof(out->queue_previous), e) != 0 ||
        row_copy_blob(rows, 5, SHA256_SIZE, &out->requester, e) != 0 ||
        row_copy_blob(rows, 16, JSON_MAX, &out->registered_json, e) != 0) {
        return -1;
    }
    return row_copy_blob(rows, 17, ISSUANCE_EVIDENCE_MAX, &out->evidence, e);
}

int
issuance_pending_find(struct store_db *db, struct span rid, struct issuance_pending *out,
                      bool *found, struct err *e)
{
    CLEANUP(store_end) struct store_rows rows = {0};

    *found = false;
    if (store_query(db, &rows,
                    PENDING_COLUMNS "unpacked(p.evidence)" PENDING_FROM "WHERE p.rid = ?1",
                    STORE_VALUES(store_blob(rid)), e) != 0 ||
        store_next(&rows, found, e) != 0) {
        return -1;
    }
    return *found ? pending_from(&rows, out, e) : 0;
}

int
issuance_pending_each(struct store_db *db, int limit,
                      void (*visit)(void *arg, const struct issuance_pending *), void *arg,
                      struct err *e)
{
    CLEANUP(store_end) struct store_rows rows = {0};
    bool row = true;

    if (store_query(db, &rows,
                    PENDING_COLUMNS "NULL" PENDING_FROM
                                    "WHERE p.open = 1 ORDER BY p.created, p.rid LIMIT ?1",
                    STORE_VALUES(store_int(limit)), e) != 0) {
        return -1;
    }
    while (store_next(&rows, &row, e) == 0) {
        CLEANUP(issuance_pending_free) struct issuance_pending p = {0};

        if (!row) {
            return 0;
        }
        if (pending_from(&rows, &p, e) != 0) {
            return -1;
        }
        visit(arg, &p);
    }
    return -1;
}

int
issuance_pending_due(struct store_db *db, time_t now, int limit,
                     void (*visit)(void *arg, struct span rid), void *arg, struct err *e)
{
    CLEANUP(store_end) struct store_rows rows = {0};
    bool row = true;

    if (store_query(db, &rows,
                    "SELECT p.rid" PENDING_FROM "WHERE p.open = 1 AND (p.expires <= ?1 OR "
                    "g.state <> 0 OR " APPROVED " >= p.approvals) ORDER BY p.created LIMIT ?2",
                    STORE_VALUES(store_int(now), store_int(limit)), e) != 0) {
        return -1;
    }
    while (store_next(&rows, &row, e) == 0) {
        if (!row) {
            return 0;
        }
        visit(arg, row_blob(&rows, 0));
    }
    return -1;
}

int
issuance_pending_count(struct store_db *db, int64_t *open, struct err *e)
{
    CLEANUP(store_end) struct store_rows rows = {0};

    if (store_query_one(db, &rows, "SELECT count(*) FROM pending WHERE open = 1", STORE_NO_VALUES,
                        e) != 0) {
        return -1;
    }
    *open = row_int(&rows, 0);
    return 0;
}

/* ---- it begins to wait ---- */

static int
known_leaf(struct store_db *db, struct span rid, uint64_t *leaf, bool *known, struct err *e)
{
    CLEANUP(store_end) struct store_rows rows = {0};

    if (store_query(db, &rows, "SELECT leaf FROM pending WHERE rid = ?1",
                    STORE_VALUES(store_blob(rid)), e) != 0 ||
        store_next(&rows, known, e) != 0) {
        return -1;
    }
    *leaf = *known ? (uint64_t)row_int(&rows, 0) : 0;
    return 0;
}

static int
insert_pending(struct store_db *db, const struct issuance_intent *i, time_t expires, uint64_t leaf,
               struct err *e)
{
    CLEANUP(buf_free) struct buf evidence = {0};

    if (packed_make(db, "request", i->evidence, &evidence, e) != 0) {
        return -1;
    }
    return store_exec(
        db,
        "INSERT INTO pending(rid, registration, transaction_id, profile, assurance, requester, "
        "spki_sha256, evidence, queue_sequence, queue_previous, approvals, created, expires, leaf, "
        "renews) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)",
        STORE_VALUES(store_blob(i->rid), store_text(i->registration), store_blob(i->transaction_id),
                     store_text(i->profile), store_int(i->assurance), store_blob(i->requester),
                     store_blob(i->spki_sha256), store_blob(buf_span(&evidence)),
                     store_int((int64_t)i->queue_sequence), store_blob(i->queue_previous),
                     store_int(i->approvals), store_int(i->now), store_int(expires),
                     store_int((int64_t)leaf),
                     i->renews.n > 0 ? store_blob(i->renews) : store_null()),
        e);
}

static int
check_renewals(struct store_db *db, const struct issuance_intent *i, enum issuance_outcome *outcome,
               struct err *e)
{
    CLEANUP(store_end) struct store_rows rows = {0};
    bool row;

    if (store_query(db, &rows, "SELECT 1 FROM pending WHERE renews = ?1 AND open = 1",
                    STORE_VALUES(store_blob(i->renews)), e) != 0 ||
        store_next(&rows, &row, e) != 0) {
        return -1;
    }
    if (row) {
        *outcome = ISSUANCE_RENEWAL_WAITS;
    }
    return 0;
}

int
issuance_pend(struct store_db *db, const struct issuance_intent *i, time_t expires, uint64_t *leaf,
              enum issuance_outcome *outcome, struct err *e)
{
    struct issuance_place place;
    bool known;

    if (known_leaf(db, i->rid, leaf, &known, e) != 0) {
        return -1;
    }
    if (known) {
        *outcome = ISSUANCE_KNOWN;
        return 0;
    }
    if (issuance_admissible(db, i, &place, outcome, e) != 0) {
        return -1;
    }
    if (*outcome == ISSUANCE_AGAIN) {
        return issuance_append_again(db, i, &place.former, leaf, e); /* what it is was approved */
    }
    if (*outcome == ISSUANCE_REPLACED) {
        *outcome = ISSUANCE_DONE; /* not before it is approved */
    }
    if (*outcome == ISSUANCE_DONE && i->renews.n > 0 && check_renewals(db, i, outcome, e) != 0) {
        return -1;
    }
    if (*outcome != ISSUANCE_DONE) {
        return 0;
    }
    return issuance_append_request(db, i, leaf, e) != 0 ? -1
                                                        : insert_pending(db, i, expires, *leaf, e);
}

/* ---- it ends ---- */

int
issuance_check_approved(struct store_db *db, const struct issuance_intent *i,
                        enum issuance_outcome *outcome, struct err *e)
{
    CLEANUP(store_end) struct store_rows rows = {0};
    bool row;

    if (store_query(db, &rows,
                    "SELECT " APPROVED ", p.expires FROM pending p WHERE p.rid = ?1 AND "
                    "p.open = 1 AND p.registration = ?2 AND p.profile = ?3 AND p.spki_sha256 = ?4",
                    STORE_VALUES(store_blob(i->rid), store_text(i->registration),
                                 store_text(i->profile), store_blob(i->spki_sha256)),
                    e) != 0 ||
        store_next(&rows, &row, e) != 0) {
        return -1;
    }
    if (!row || row_int(&rows, 0) < i->approvals || row_int(&rows, 1) <= i->now) {
        *outcome = ISSUANCE_NOT_APPROVED;
    }
    return 0;
}

static int
newest_leaf(struct store_db *db, struct span rid, uint64_t *leaf, bool *closed, struct err *e)
{
    CLEANUP(store_end) struct store_rows rows = {0};

    if (store_query(db, &rows, "SELECT leaf FROM request WHERE rid = ?1",
                    STORE_VALUES(store_blob(rid)), e) != 0 ||
        store_next(&rows, closed, e) != 0) {
        return -1;
    }
    if (*closed) {
        *leaf = (uint64_t)row_int(&rows, 0);
    }
    return 0;
}

int
issuance_pending_refuse(struct store_db *db, struct span rid, int fail_info, const char *phrase,
                        const char *reason, time_t now, uint64_t *leaf_index,
                        enum issuance_outcome *outcome, struct err *e)
{
    CLEANUP(issuance_pending_free) struct issuance_pending p = {0};
    bool found;
    bool closed;

    if (newest_leaf(db, rid, leaf_index, &closed, e) != 0 ||
        issuance_pending_find(db, rid, &p, &found, e) != 0) {
        return -1;
    }
    *outcome = closed ? ISSUANCE_KNOWN : ISSUANCE_DONE;
    if (closed) {
        return 0;
    }
    if (!found) {
        return err_set(e, ERR_NOTFOUND, "nothing waits under this rid");
    }
    if (issuance_append_refusal(db, rid, p.registration, fail_info, reason, now, leaf_index, e) !=
        0) {
        return -1;
    }
    return store_exec(
        db,
        "INSERT INTO request(rid, state, registration, profile, evidence, queue_sequence, "
        "queue_previous, fail_info, phrase, created, leaf) "
        "SELECT rid, 2, registration, profile, evidence, queue_sequence, queue_previous, ?2, ?3, "
        "?4, ?5 FROM pending WHERE rid = ?1",
        STORE_VALUES(store_blob(rid), store_int(fail_info), store_text(phrase), store_int(now),
                     store_int((int64_t)*leaf_index)),
        e);
}

/* ---- what officers decide ---- */

int
issuance_approval_each(struct store_db *db, struct span rid,
                       int (*visit)(void *arg, const struct issuance_approval *, struct err *e),
                       void *arg, struct err *e)
{
    CLEANUP(store_end) struct store_rows rows = {0};
    bool row = true;

    if (store_query(
            db, &rows,
            "SELECT a.approves, a.officer, a.subject, a.cms, a.created, c.revoked IS NULL "
            "FROM approval a JOIN request q ON q.serial = a.officer JOIN " ISSUANCE_CERTIFICATE
            "WHERE a.rid = ?1 ORDER BY a.leaf",
            STORE_VALUES(store_blob(rid)), e) != 0) {
        return -1;
    }
    while (store_next(&rows, &row, e) == 0) {
        CLEANUP(mem_cleanup) char *subject = NULL;
        struct issuance_approval a;
        enum issuance_role role;

        if (!row) {
            return 0;
        }
        if (issuance_role_of_serial(db, row_blob(&rows, 1), &role, e) != 0) {
            return -1;
        }
        subject = mem_strdup(row_text(&rows, 2));
        a = (struct issuance_approval){.approves = row_int(&rows, 0) != 0,
                                       .valid = row_int(&rows, 5) != 0 && role == ISSUANCE_OFFICER,
                                       .subject = subject,
                                       .officer = row_blob(&rows, 1),
                                       .cms = row_blob(&rows, 3),
                                       .created = (time_t)row_int(&rows, 4)};
        if (visit(arg, &a, e) != 0) {
            return -1;
        }
    }
    return -1;
}

/* Under this name or with this key, and good still. */
static int
decided_before(struct store_db *db, const struct issuance_decision *d, uint64_t *leaf, bool *before,
               struct err *e)
{
    CLEANUP(store_end) struct store_rows rows = {0};

    if (store_query(db, &rows,
                    "SELECT leaf FROM approval WHERE rid = ?1 AND approves = ?2 AND "
                    "(subject = ?3 OR key_sha256 = ?4)",
                    STORE_VALUES(store_blob(d->rid), store_int(d->approves ? 1 : 0),
                                 store_text(d->subject), store_blob(d->key_sha256)),
                    e) != 0 ||
        store_next(&rows, before, e) != 0) {
        return -1;
    }
    *leaf = *before ? (uint64_t)row_int(&rows, 0) : *leaf;
    return 0;
}

static int
insert_decision(struct store_db *db, const struct issuance_decision *d, const char *registration,
                uint64_t *index, struct err *e)
{
    CLEANUP(leaf_cleanup) struct leaf *leaf = leaf_new(LEAF_APPROVAL, d->now);

    leaf_set_hex(leaf, "rid", d->rid);
    leaf_set_text(leaf, "registration", registration);
    leaf_set_text(leaf, "decision", d->approves ? "approve" : "reject");
    leaf_set_hex(leaf, "officer", d->officer);
    leaf_set_hex(leaf, "key", d->key_sha256);
    leaf_set_text(leaf, "subject", d->subject);
    leaf_set_base64(leaf, "cms", d->cms);
    leaf_set_text(leaf, "by", d->by);
    if (d->reason[0] != '\0') {
        leaf_set_text(leaf, "reason", d->reason);
    }
    if (ledger_append(db, leaf, index, e) != 0) {
        return -1;
    }
    return store_exec(db,
                      "INSERT INTO approval(rid, approves, officer, subject, key_sha256, cms, "
                      "created, leaf) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
                      STORE_VALUES(store_blob(d->rid), store_int(d->approves ? 1 : 0),
                                   store_blob(d->officer), store_text(d->subject),
                                   store_blob(d->key_sha256), store_blob(d->cms), store_int(d->now),
                                   store_int((int64_t)*index)),
                      e);
}

static int
record_decision(struct store_db *db, const struct issuance_decision *d, const char *registration,
                uint64_t *leaf, struct err *e)
{
    CLEANUP(mem_cleanup) char *reason = NULL;
    enum issuance_outcome closed;

    if (insert_decision(db, d, registration, leaf, e) != 0) {
        return -1;
    }
    if (d->approves) {
        return 0;
    }
    reason = mem_printf("rejected by an officer%s%s", d->reason[0] == '\0' ? "" : ": ", d->reason);
    return issuance_pending_refuse(db, d->rid, d->fail_info, d->phrase, reason, d->now, leaf,
                                   &closed, e);
}

int
issuance_decide(struct store_db *db, const struct issuance_decision *d, uint64_t *leaf,
                struct issuance_pending *after, enum issuance_outcome *outcome, struct err *e)
{
    CLEANUP(issuance_pending_free) struct issuance_pending p = {0};
    bool found;
    bool ours;
    bool before;

    if (issuance_is_ours(db, d->officer_der, ISSUANCE_OFFICER, &ours, e) != 0 ||
        issuance_pending_find(db, d->rid, &p, &found, e) != 0 ||
        decided_before(db, d, leaf, &before, e) != 0) {
        return -1;
    }
    if (!found) {
        return err_set(e, ERR_NOTFOUND, "nothing waits under this rid");
    }
    *outcome = !ours                 ? ISSUANCE_SIGNER_UNKNOWN
               : before              ? ISSUANCE_KNOWN
               : !p.open             ? ISSUANCE_CLOSED
               : p.expires <= d->now ? ISSUANCE_NOT_APPROVED
                                     : ISSUANCE_DONE;
    if (*outcome == ISSUANCE_DONE && record_decision(db, d, p.registration, leaf, e) != 0) {
        return -1;
    }
    return issuance_pending_find(db, d->rid, after, &found, e);
}
