/* SPDX-License-Identifier: Apache-2.0 */
#include "db/issuance/compare.h"

#include <string.h>

#include "base/ossl.h"
#include "db/issuance/compare_row.h"
#include "db/issuance/key_owner.h"
#include "db/ledger/leaf.h"

enum { BLOB_MAX = 64 };

/* A leaf, where it is, and the octets of its rid and its serial. */
struct entry {
    const struct leaf *leaf;
    int64_t index;
    uint8_t rid_octets[BLOB_MAX];
    uint8_t serial_octets[BLOB_MAX];
    struct span rid;
    struct span serial;
};

static struct store_value
text(const struct entry *at, const char *name)
{
    return store_text(leaf_text(at->leaf, name));
}

static struct store_value
number(const struct entry *at, const char *name)
{
    return store_int(leaf_int(at->leaf, name, 0));
}

/* As seconds; NULL when it is missing. */
static struct store_value
time_member(const struct entry *at, const char *name)
{
    const char *written = leaf_text(at->leaf, name);
    time_t value;
    struct err e;

    return written != NULL && time_parse(written, &value, &e) == 0 ? store_int(value)
                                                                   : store_null();
}

static struct store_value
leaf_at(const struct entry *at)
{
    return store_int(leaf_time(at->leaf));
}

/* The hex member as octets. */
static int
member(const struct entry *at, const char *name, uint8_t *out, size_t max, struct span *span,
       struct err *e)
{
    const char *hex = leaf_text(at->leaf, name);
    size_t n = hex == NULL ? 0 : strlen(hex) / 2;

    if (n == 0 || n > max || hex_parse(hex, out, n, e) != 0) {
        return err_set(e, ERR_STALE, "a leaf without %s", name);
    }
    *span = span_of(out, n);
    return 0;
}

static int
take_rid(struct entry *at, const char *name, struct err *e)
{
    return member(at, name, at->rid_octets, sizeof(at->rid_octets), &at->rid, e);
}

static int
take_serial(struct entry *at, const char *name, struct err *e)
{
    return member(at, name, at->serial_octets, sizeof(at->serial_octets), &at->serial, e);
}

static int
take_both(struct entry *at, struct err *e)
{
    return take_rid(at, "rid", e) != 0 ? -1 : take_serial(at, "serial", e);
}

/* ---- registrations ---- */

static int
registration(struct store_db *db, const struct entry *at, struct err *e)
{
    return compare_need_hash(
        db,
        "SELECT cms FROM registration WHERE id = ?1 AND nf_instance = ?2 AND supersedes IS ?3 AND "
        "lower(hex(registrar)) = ?4 AND certificates = ?5 AND not_before IS ?6 AND not_after IS ?7 "
        "AND registered = ?8 AND (state = 1 OR leaf = ?9) "
        "AND proof IS " ISSUANCE_PINS("unpacked(json)"),
        STORE_VALUES(text(at, "registration"), text(at, "nfInstanceId"), text(at, "supersedes"),
                     text(at, "registrar"), number(at, "certificates"),
                     time_member(at, "notBefore"), time_member(at, "notAfter"), leaf_at(at),
                     store_int(at->index)),
        leaf_text(at->leaf, "sha256"), true, "a registration", e);
}

static int
cancellation(struct store_db *db, const struct entry *at, struct err *e)
{
    return compare_need_row(
        db, "SELECT 1 FROM registration WHERE id = ?1 AND state = 1 AND leaf = ?2",
        STORE_VALUES(text(at, "registration"), store_int(at->index)), "a cancellation", e);
}

/* ---- requests ---- */

/* A request that waits has a row; others have none before their intent. */
static int
request(struct store_db *db, struct entry *at, struct compare_seen *seen, struct err *e)
{
    const bool waits = leaf_int(at->leaf, "approvals", 0) > 0;

    seen->pending += waits ? 1 : 0;
    if (take_rid(at, "rid", e) != 0) {
        return -1;
    }
    return waits
               ? compare_need_row(
                     db,
                     "SELECT 1 FROM pending p WHERE rid = ?1 AND registration = ?2 AND approvals = "
                     "?3 AND profile = ?4 AND iif(assurance = 1, 'signature', 'mac') = ?5 AND "
                     "queue_sequence = ?6 AND lower(hex(queue_previous)) = coalesce(?7, "
                     "lower(hex(queue_previous))) AND created = ?8 AND leaf = ?9 AND "
                     "open <> EXISTS (SELECT 1 FROM request q WHERE q.rid = p.rid)",
                     STORE_VALUES(store_blob(at->rid), text(at, "registration"),
                                  number(at, "approvals"), text(at, "profile"),
                                  text(at, "assurance"), number(at, "qseq"), text(at, "head"),
                                  leaf_at(at), store_int(at->index)),
                     "a pending request", e)
               : compare_need_row(
                     db,
                     "SELECT 1 FROM request WHERE rid = ?1 AND registration = ?2 AND "
                     "queue_sequence = ?3 AND lower(hex(queue_previous)) = coalesce(?4, "
                     "lower(hex(queue_previous)))",
                     STORE_VALUES(store_blob(at->rid), text(at, "registration"), number(at, "qseq"),
                                  text(at, "head")),
                     "a request", e);
}

static int
refusal(struct store_db *db, struct entry *at, struct err *e)
{
    return take_rid(at, "rid", e) != 0
               ? -1
               : compare_need_row(
                     db,
                     "SELECT 1 FROM request WHERE rid = ?1 AND state = 2 AND registration IS "
                     "?2 AND fail_info = ?3 AND created = ?4 AND leaf = ?5",
                     STORE_VALUES(store_blob(at->rid), text(at, "registration"),
                                  number(at, "failInfo"), leaf_at(at), store_int(at->index)),
                     "a refusal", e);
}

static int
intent(struct store_db *db, struct entry *at, struct err *e)
{
    return take_both(at, e) != 0
               ? -1
               : compare_need_hash(
                     db,
                     "SELECT unpacked(tbs) FROM request WHERE rid = ?1 AND serial = ?2 AND "
                     "registration IS "
                     "?3 AND lower(hex(renews)) = coalesce(?4, ?5, '') AND is_update = (?4 IS NOT "
                     "NULL) AND lower(hex(profile_file)) = coalesce(?6, '') AND (renews IS NULL OR "
                     "message_time IS ?7) AND coalesce(not_before, created) IS ?8 AND not_after IS "
                     "?9 AND lower(hex(instead_of)) = coalesce(?10, '') AND profile = ?11 AND "
                     "CASE assurance WHEN 1 THEN 'signature' WHEN 0 THEN 'mac' END IS ?12 AND "
                     "created <= ?13 AND state <> 2 AND (state <> 0 OR leaf = ?14) AND (state <> "
                     "0 OR tbs IS NOT NULL)",
                     STORE_VALUES(store_blob(at->rid), store_blob(at->serial),
                                  text(at, "registration"), text(at, "updates"), text(at, "renews"),
                                  text(at, "profileFile"), time_member(at, "messageTime"),
                                  time_member(at, "notBefore"), time_member(at, "notAfter"),
                                  text(at, "insteadOf"), text(at, "profile"), text(at, "assurance"),
                                  leaf_at(at), store_int(at->index)),
                     leaf_text(at->leaf, "tbs"), true, "an intent", e);
}

static int
again(struct store_db *db, struct entry *at, struct err *e)
{
    return take_rid(at, "again", e) != 0
               ? -1
               : compare_need_row(
                     db,
                     "SELECT 1 FROM again a JOIN request q ON q.rid = a.request WHERE a.rid = ?1 "
                     "AND lower(hex(a.request)) = ?2 AND lower(hex(q.serial)) = ?3 AND "
                     "a.registration = ?4 AND a.message_time = ?5 AND a.queue_sequence = ?6 AND "
                     "lower(hex(a.queue_previous)) = coalesce(?7, lower(hex(a.queue_previous))) "
                     "AND a.created = ?8 AND a.leaf = ?9",
                     STORE_VALUES(store_blob(at->rid), text(at, "rid"), text(at, "serial"),
                                  text(at, "registration"), time_member(at, "messageTime"),
                                  number(at, "qseq"), text(at, "head"), leaf_at(at),
                                  store_int(at->index)),
                     "an answer that was given again", e);
}

static int
approval(struct store_db *db, struct entry *at, struct err *e)
{
    CLEANUP(buf_free) struct buf cms = BUF_INIT(LEAF_MAX);

    if (take_rid(at, "rid", e) != 0 || take_serial(at, "officer", e) != 0 ||
        base64_parse(leaf_text(at->leaf, "cms"), &cms, e) != 0) {
        return -1;
    }
    return compare_need_row(
        db,
        "SELECT 1 FROM approval WHERE rid = ?1 AND officer = ?2 AND approves = ?3 AND cms = ?4 AND "
        "subject = ?5 AND lower(hex(key_sha256)) = ?6 AND created = ?7 AND leaf = ?8",
        STORE_VALUES(store_blob(at->rid), store_blob(at->serial),
                     store_int(strcmp(leaf_text(at->leaf, "decision"), "approve") == 0 ? 1 : 0),
                     store_blob(buf_span(&cms)), text(at, "subject"), text(at, "key"), leaf_at(at),
                     store_int(at->index)),
        "an approval", e);
}

/* ---- certificates ---- */

/* What else is in its row is that of its intent. */
static int
certificate(struct store_db *db, struct entry *at, struct err *e)
{
    CLEANUP(store_end) struct store_rows rows = {0};
    CLEANUP(mem_cleanup) char *der = NULL;
    bool row;

    if (take_both(at, e) != 0 ||
        store_query(db, &rows,
                    "SELECT " ISSUANCE_DER " FROM request q JOIN " ISSUANCE_CERTIFICATE
                    "JOIN " ISSUANCE_ISSUED_LEAF "LEFT JOIN "
                    "registration g ON g.id = q.registration WHERE q.rid = ?1 AND q.serial = ?2 "
                    "AND c.leaf = ?4 AND c.profile = q.profile AND c.not_after = "
                    "q.not_after AND c.nf_instance IS g.nf_instance AND c.issued = ?3 AND q.state "
                    "IN (1, 3, 4) AND (q.state <> 1 OR q.leaf = ?4)",
                    STORE_VALUES(store_blob(at->rid), store_blob(at->serial), leaf_at(at),
                                 store_int(at->index)),
                    e) != 0 ||
        store_next(&rows, &row, e) != 0) {
        return -1;
    }
    if (!row) {
        return compare_missing("a certificate", e);
    }
    der = base64_dup(row_blob(&rows, 0));
    return strcmp(der, leaf_text(at->leaf, "certificate")) == 0
               ? key_owner_check(db, at->serial, row_blob(&rows, 0), e)
               : compare_missing("a certificate", e);
}

static int
confirmation(struct store_db *db, struct entry *at, struct err *e)
{
    return take_both(at, e) != 0
               ? -1
               : compare_need_row(
                     db,
                     "SELECT 1 FROM request q JOIN confirmation c ON c.leaf = q.leaf WHERE q.rid = "
                     "?1 AND q.serial = ?2 AND q.state = 3 AND q.leaf = ?3 AND c.request = q.rid "
                     "AND c.accepted = 1 AND c.created = ?4",
                     STORE_VALUES(store_blob(at->rid), store_blob(at->serial), store_int(at->index),
                                  leaf_at(at)),
                     "a confirmation", e);
}

/* By its network function: then it counts against what that asks for next. Its leaf or the REVOKED
 * behind it is the one of the rows. */
static int
rejection(struct store_db *db, struct entry *at, struct err *e)
{
    return take_both(at, e) != 0
               ? -1
               : compare_need_row(
                     db,
                     "SELECT 1 FROM request q WHERE rid = ?1 AND serial = ?2 AND state IN (4, 5) "
                     "AND leaf IN (?3, ?3 + 1) AND (?4 IS NULL OR (q.registration = ?4 AND state = "
                     "4 AND EXISTS (SELECT 1 FROM confirmation c WHERE c.leaf = q.leaf AND "
                     "c.request = q.rid AND c.accepted = 0 AND c.created = ?5)))",
                     STORE_VALUES(store_blob(at->rid), store_blob(at->serial), store_int(at->index),
                                  text(at, "registration"), leaf_at(at)),
                     "a rejection", e);
}

/* Until when it is on CRLs, and that the serial number is one of ours, is in the intent. */
static int
revocation(struct store_db *db, struct entry *at, struct compare_seen *seen, struct err *e)
{
    seen->revocations++;
    return take_serial(at, "serial", e) != 0
               ? -1
               : compare_need_row(
                     db,
                     "SELECT 1 FROM revocation v JOIN request q ON q.serial = v.serial LEFT "
                     "JOIN " ISSUANCE_CERTIFICATE "WHERE v.serial = ?1 AND v.not_after = "
                     "q.not_after AND (c.revoked IS ?6 OR (c.request IS NULL AND q.state = 5)) AND "
                     "(?2 IS NULL OR EXISTS "
                     "(SELECT 1 FROM revocation_request r WHERE r.serial = ?1 AND "
                     "lower(hex(r.rid)) = ?2 AND r.created = ?3 AND r.leaf = ?6)) AND v.revoked = "
                     "?3 AND v.crl_date IS ?4 AND v.reason = ?5",
                     STORE_VALUES(store_blob(at->serial), text(at, "rr"), leaf_at(at),
                                  time_member(at, "revocationDate"), number(at, "reason"),
                                  store_int(at->index)),
                     "a revocation", e);
}

/* ---- CRLs ---- */

/* A number that was announced is not taken again. */
static int
crl_intent(struct store_db *db, const struct entry *at, struct err *e)
{
    return compare_need_row(
        db, "SELECT 1 FROM crl WHERE number = ?1 AND this_update IS ?2 AND next_update IS ?3",
        STORE_VALUES(number(at, "number"), time_member(at, "thisUpdate"),
                     time_member(at, "nextUpdate")),
        "the number of a CRL", e);
}

static int
crl(struct store_db *db, const struct entry *at, struct err *e)
{
    return compare_need_hash(
        db,
        "SELECT der FROM crl WHERE number = ?1 AND this_update IS ?2 AND next_update IS ?3 AND "
        "entries = ?4 AND der IS NOT NULL",
        STORE_VALUES(number(at, "number"), time_member(at, "thisUpdate"),
                     time_member(at, "nextUpdate"), number(at, "entries")),
        leaf_text(at->leaf, "sha256"), true, "a CRL", e);
}

/* ---- all kinds ---- */

int
compare_leaf(struct store_db *db, const struct leaf *leaf, int64_t index, struct compare_seen *seen,
             struct err *e)
{
    struct entry at = {.leaf = leaf, .index = index};

    switch (leaf_kind(leaf)) {
    case LEAF_REGISTRATION:
        seen->registrations++;
        return registration(db, &at, e);
    case LEAF_CANCEL:
        return cancellation(db, &at, e);
    case LEAF_REQUEST:
        return request(db, &at, seen, e);
    case LEAF_REFUSAL:
        seen->refusals++;
        return refusal(db, &at, e);
    case LEAF_INTENT:
        seen->intents++;
        return intent(db, &at, e);
    case LEAF_ISSUED:
        seen->certificates++;
        return certificate(db, &at, e);
    case LEAF_CONFIRMED:
        return confirmation(db, &at, e);
    case LEAF_REJECTED:
        return rejection(db, &at, e);
    case LEAF_REVOKED:
        return revocation(db, &at, seen, e);
    case LEAF_CRL:
        seen->crls++;
        return crl(db, &at, e);
    case LEAF_CRL_INTENT:
        return crl_intent(db, &at, e);
    case LEAF_APPROVAL:
        seen->approvals++;
        return approval(db, &at, e);
    case LEAF_AGAIN:
        seen->again++;
        return again(db, &at, e);
    case LEAF_START:
    case LEAF_STOP:
    case LEAF_CONFIG:
    case LEAF_RECOVERED:
    case LEAF_CEREMONY:
    case LEAF_QUEUE_HEAD:
    case LEAF_SEALED:
    case LEAF_RESTORED:
    case LEAF_ADOPTED:
    case LEAF_ACKNOWLEDGED:
    case LEAF_RA_REPORT:
    case LEAF_OPERATION:
    case LEAF_CLOCK:
    case LEAF_KINDS:
        break;
    }
    return 0;
}
