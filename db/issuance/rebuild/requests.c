/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A request's row has its TBSCertificate, and does not change: so it is made when its certificate
 * is there, or when nothing came of it. Until then the intent is kept here; there are as many as
 * were under way at one time.
 */
#include <string.h>

#include "db/issuance/rebuild/rows.h"
#include "db/issuance/rows.h"
#include "db/store/packed.h"

enum { CERTIFICATE_MAX = LEAF_MAX };

void
rebuild_requests_free(struct rebuild_requests *r)
{
    for (size_t i = 0; i < r->n; i++) {
        leaf_free(r->open[i].leaf);
    }
    mem_free(r->open);
}

static struct rebuild_intent *
find(struct rebuild_requests *r, const uint8_t rid[ISSUANCE_RID_SIZE])
{
    for (size_t i = 0; i < r->n; i++) {
        if (memcmp(r->open[i].rid, rid, ISSUANCE_RID_SIZE) == 0) {
            return &r->open[i];
        }
    }
    return NULL;
}

static void
forget(struct rebuild_requests *r, struct rebuild_intent *intent)
{
    leaf_free(intent->leaf);
    mem_remove(r->open, &r->n, intent, sizeof(*intent));
}

/* ---- REQUEST ---- */

static int
insert_pending(struct store_db *db, const struct rebuild_requests *r, const struct leaf *leaf,
               uint64_t index, struct err *e)
{
    const struct store_value rid = store_blob(span_of(r->last_rid, sizeof(r->last_rid)));
    const bool by_signature = strcmp(leaf_text(leaf, "assurance"), "signature") == 0;

    return store_exec(
        db,
        "INSERT INTO pending(rid, registration, transaction_id, profile, assurance, requester, "
        "spki_sha256, evidence, queue_sequence, queue_previous, approvals, created, expires, leaf) "
        "VALUES(?1, ?2, ?1, ?3, ?4, x'', zeroblob(32), x'', ?5, coalesce(?6, zeroblob(32)), ?7, "
        "?8, ?8 + 1, ?9)",
        STORE_VALUES(rid, store_text(leaf_text(leaf, "registration")),
                     store_text(leaf_text(leaf, "profile")), store_int(by_signature ? 1 : 0),
                     store_int(r->last_place), rebuild_value(&r->last_head),
                     store_int(leaf_int(leaf, "approvals", 0)), store_int(leaf_time(leaf)),
                     store_int((int64_t)index)),
        e);
}

int
rebuild_request(struct rebuild_requests *r, struct store_db *db, const struct leaf *leaf,
                uint64_t index, struct err *e)
{
    if (rebuild_rid(leaf, r->last_rid, e) != 0 ||
        rebuild_octets(leaf, "head", &r->last_head, e) != 0) {
        return -1;
    }
    r->last_place = leaf_int(leaf, "qseq", 0);
    return leaf_int(leaf, "approvals", 0) > 0 ? insert_pending(db, r, leaf, index, e) : 0;
}

/* ---- INTENT ---- */

int
rebuild_intent(struct rebuild_requests *r, struct store_db *db, const struct leaf *leaf,
               uint64_t index, struct err *e)
{
    struct rebuild_intent intent = {.index = index};

    (void)db;
    if (rebuild_rid(leaf, intent.rid, e) != 0) {
        return -1;
    }
    if (memcmp(intent.rid, r->last_rid, sizeof(intent.rid)) == 0) {
        intent.has_place = true;
        intent.place = r->last_place;
        intent.head = r->last_head;
    }
    intent.leaf = leaf_parse(leaf_body(leaf), e);
    if (intent.leaf == NULL) {
        return -1;
    }
    r->open = mem_grow(r->open, &r->capacity, r->n + 1, sizeof(r->open[0]));
    r->open[r->n++] = intent;
    return 0;
}

static bool
is_use(const struct leaf *leaf)
{
    return leaf_text(leaf, "registration") != NULL && leaf_text(leaf, "renews") == NULL &&
           leaf_text(leaf, "updates") == NULL && leaf_text(leaf, "insteadOf") == NULL;
}

struct intent_members {
    struct rebuild_octets serial, renews, profile_file, instead_of;
};

static int
read_members(const struct leaf *leaf, struct intent_members *m, struct err *e)
{
    const char *renews = leaf_text(leaf, "updates") != NULL ? "updates" : "renews";

    return rebuild_octets(leaf, "serial", &m->serial, e) != 0 ||
                   rebuild_octets(leaf, renews, &m->renews, e) != 0 ||
                   rebuild_octets(leaf, "profileFile", &m->profile_file, e) != 0 ||
                   rebuild_octets(leaf, "insteadOf", &m->instead_of, e) != 0
               ? -1
               : 0;
}

static struct store_value
assurance_of(const struct leaf *leaf)
{
    const char *text = leaf_text(leaf, "assurance");

    return text == NULL ? store_null() : store_int(strcmp(text, "signature") == 0 ? 1 : 0);
}

/* What waited for officers and was not lost has more than the leaves. A certConf must come where
 * something is superseded by it; of the others nobody knows here whether it must, and then none
 * ends because it does not. */
static int
insert_request(struct store_db *db, const struct rebuild_intent *i, enum issuance_state state,
               struct span tbs, uint64_t index, struct err *e)
{
    const struct leaf *leaf = i->leaf;
    const bool nf = leaf_text(leaf, "registration") != NULL;
    const bool updates = leaf_text(leaf, "updates") != NULL;
    const struct store_value rid = store_blob(span_of(i->rid, sizeof(i->rid)));
    CLEANUP(buf_free) struct buf packed = {0};
    struct intent_members m;

    if (read_members(leaf, &m, e) != 0 || packed_make(db, "tbs", tbs, &packed, e) != 0) {
        return -1;
    }
    return store_exec(
        db,
        "INSERT INTO request(rid, state, registration, transaction_id, cert_req_id, assurance, "
        "requester, profile, evidence, queue_sequence, queue_previous, serial, tbs, not_after, "
        "created, leaf, renews, is_update, confirm, profile_file, message_time, not_before, "
        "instead_of) "
        "SELECT ?1, ?2, ?3, p.transaction_id, ?4, ?5, nullif(p.requester, x''), ?6, "
        "coalesce(p.evidence, x''), "
        "coalesce(p.queue_sequence, ?7), coalesce(p.queue_previous, ?8), ?9, ?10, ?11, ?12, ?13, "
        "?14, ?15, CASE WHEN ?15 = 1 OR g.supersedes IS NOT NULL THEN 2 ELSE 0 END, ?16, ?17, ?18, "
        "?19 FROM (SELECT 1) LEFT JOIN pending p ON p.rid = ?1 AND length(p.evidence) > 0 "
        "LEFT JOIN registration g ON g.id = ?3",
        STORE_VALUES(
            rid, store_int(state), store_text(leaf_text(leaf, "registration")),
            nf ? store_int(0) : store_null(), assurance_of(leaf),
            store_text(leaf_text(leaf, "profile")),
            i->has_place ? store_int(i->place) : store_null(), rebuild_value(&i->head),
            rebuild_value(&m.serial), tbs.n > 0 ? store_blob(buf_span(&packed)) : store_null(),
            rebuild_time(leaf, "notAfter"), store_int(leaf_time(leaf)), store_int((int64_t)index),
            rebuild_value(&m.renews), store_int(updates ? 1 : 0), rebuild_value(&m.profile_file),
            rebuild_time(leaf, "messageTime"), rebuild_time(leaf, "notBefore"),
            rebuild_value(&m.instead_of)),
        e);
}

static int
count_use(struct store_db *db, const struct leaf *intent, struct err *e)
{
    return !is_use(intent)
               ? 0
               : store_exec(db, "UPDATE registration SET used = used + 1 WHERE id = ?1",
                            STORE_VALUES(store_text(leaf_text(intent, "registration"))), e);
}

/* ---- ISSUED ---- */

/* The certificate is the one that was intended. */
static int
check_tbs(const struct leaf *intent, struct span tbs, struct err *e)
{
    uint8_t hash[SHA256_SIZE];
    struct rebuild_octets wanted;

    if (sha256(tbs, hash, e) != 0 || rebuild_octets(intent, "tbs", &wanted, e) != 0) {
        return -1;
    }
    return span_equal(span_of(hash, sizeof(hash)), span_of(wanted.octets, wanted.n))
               ? 0
               : err_set(e, ERR_STORE, "the certificate is another one than its INTENT says");
}

static int
insert_key(struct store_db *db, const X509 *certificate, struct span serial, struct err *e)
{
    uint8_t hash[SHA256_SIZE];

    if (certificate_key_hash(certificate, hash, e) != 0) {
        return -1;
    }
    return store_exec(
        db,
        "INSERT INTO public_key(sha256, owner) SELECT ?1, "
        "coalesce(c.nf_instance, 'infrastructure') FROM request q JOIN " ISSUANCE_CERTIFICATE
        "WHERE q.serial = ?2 "
        "ON CONFLICT(sha256) DO NOTHING",
        STORE_VALUES(store_blob(span_of(hash, sizeof(hash))), store_blob(serial)), e);
}

static int
insert_certificate(struct store_db *db, const uint8_t rid[ISSUANCE_RID_SIZE],
                   const struct leaf *leaf, uint64_t index, struct span der, struct err *e)
{
    CLEANUP(x509_cleanup) X509 *certificate = certificate_parse_keyless(der, e);
    struct rebuild_octets serial;

    if (certificate == NULL || rebuild_octets(leaf, "serial", &serial, e) != 0 ||
        store_exec(
            db,
            "INSERT INTO certificate(request, leaf, nf_instance, profile, not_after, issued) "
            "SELECT q.rowid, ?2, g.nf_instance, q.profile, q.not_after, ?3 "
            "FROM request q LEFT JOIN registration g ON g.id = q.registration "
            "WHERE q.rid = ?1 AND q.serial = ?4",
            STORE_VALUES(store_blob(span_of(rid, ISSUANCE_RID_SIZE)), store_int((int64_t)index),
                         store_int(leaf_time(leaf)), rebuild_value(&serial)),
            e) != 0 ||
        rebuild_one(db, "issued", e) != 0) {
        return -1;
    }
    return insert_key(db, certificate, span_of(serial.octets, serial.n), e);
}

int
rebuild_issued(struct rebuild_requests *r, struct store_db *db, const struct leaf *leaf,
               uint64_t index, struct err *e)
{
    CLEANUP(buf_free) struct buf der = BUF_INIT(CERTIFICATE_MAX);
    uint8_t rid[ISSUANCE_RID_SIZE];
    struct rebuild_intent *intent;
    struct span tbs;

    if (rebuild_rid(leaf, rid, e) != 0 || rebuild_base64(leaf, "certificate", &der, e) != 0) {
        return -1;
    }
    intent = find(r, rid);
    if (!issuance_tbs_of(buf_span(&der), &tbs)) {
        return err_set(e, ERR_STORE, "what was issued is no certificate");
    }
    if (intent == NULL) {
        if (rebuild_advance(db, rid, ISSUANCE_INTENT, ISSUANCE_ISSUED, index, "issued", e) != 0) {
            return -1;
        }
    } else {
        if (check_tbs(intent->leaf, tbs, e) != 0 ||
            insert_request(db, intent, ISSUANCE_ISSUED, tbs, index, e) != 0 ||
            count_use(db, intent->leaf, e) != 0) {
            return -1;
        }
        forget(r, intent);
    }
    return insert_certificate(db, rid, leaf, index, buf_span(&der), e);
}

/* ---- REJECTED ---- */

/* What peers are told of it when they ask again. */
static int
set_phrase(const struct rebuild_requests *r, struct store_db *db,
           const uint8_t rid[ISSUANCE_RID_SIZE], struct err *e)
{
    return store_exec(db, "UPDATE request SET fail_info = ?2, phrase = ?3 WHERE rid = ?1",
                      STORE_VALUES(store_blob(span_of(rid, ISSUANCE_RID_SIZE)),
                                   store_int(REBUILD_FAILURE), store_text(r->phrase)),
                      e);
}

/* An intent that was not lost, given up: it is no use any more. */
static int
abandon(const struct rebuild_requests *r, struct store_db *db, const uint8_t rid[ISSUANCE_RID_SIZE],
        uint64_t index, struct err *e)
{
    return rebuild_advance(db, rid, ISSUANCE_INTENT, ISSUANCE_ABANDONED, index, "given up", e) !=
                       0 ||
                   store_exec(db,
                              "UPDATE registration SET used = used - 1 WHERE id = "
                              "(SELECT registration FROM request WHERE rid = ?1 AND renews IS NULL "
                              "AND instead_of IS NULL)",
                              STORE_VALUES(store_blob(span_of(rid, ISSUANCE_RID_SIZE))), e) != 0
               ? -1
               : set_phrase(r, db, rid, e);
}

static int
reject(struct store_db *db, const uint8_t rid[ISSUANCE_RID_SIZE], const struct leaf *leaf,
       uint64_t index, struct err *e)
{
    if (rebuild_advance(db, rid, ISSUANCE_ISSUED, ISSUANCE_REJECTED, index, "rejected", e) != 0) {
        return -1;
    }
    return leaf_text(leaf, "registration") == NULL
               ? 0
               : rebuild_confirmation(db, rid, false, leaf, index, e);
}

int
rebuild_rejected(struct rebuild_requests *r, struct store_db *db, const struct leaf *leaf,
                 uint64_t index, struct err *e)
{
    uint8_t rid[ISSUANCE_RID_SIZE];
    struct rebuild_intent *intent;
    bool is_intent;

    if (rebuild_rid(leaf, rid, e) != 0 ||
        store_has_row(db, "SELECT 1 FROM request WHERE rid = ?1 AND state = 0",
                      STORE_VALUES(store_blob(span_of(rid, sizeof(rid)))), &is_intent, e) != 0) {
        return -1;
    }
    intent = find(r, rid);
    if (intent == NULL) {
        return is_intent ? abandon(r, db, rid, index, e) : reject(db, rid, leaf, index, e);
    }
    if (insert_request(db, intent, ISSUANCE_ABANDONED, span_of(NULL, 0), index, e) != 0) {
        return -1;
    }
    forget(r, intent);
    return set_phrase(r, db, rid, e);
}

/* ---- the end ---- */

int
rebuild_requests_end(struct rebuild_requests *r, struct store_db *db, struct err *e)
{
    while (r->n > 0) {
        struct rebuild_intent *intent = &r->open[0];

        if (insert_request(db, intent, ISSUANCE_INTENT, span_of(NULL, 0), intent->index, e) != 0 ||
            count_use(db, intent->leaf, e) != 0) {
            return -1;
        }
        forget(r, intent);
    }
    return 0;
}
