/* SPDX-License-Identifier: Apache-2.0 */
#include "db/issuance/rebuild/rebuild.h"

#include <string.h>

#include "db/issuance/rebuild/rows.h"
#include "db/issuance/rows.h"
#include "db/store/packed.h"

enum { CMS_MAX = LEAF_MAX, JSON_MAX = 64 * 1024 };

struct rebuild {
    const struct rebuild_source *source;
    struct rebuild_requests requests;
    struct rebuild_counts counts;
};

void
rebuild_free(struct rebuild *r)
{
    if (r != NULL) {
        rebuild_requests_free(&r->requests);
        mem_free(r);
    }
}

struct rebuild *
rebuild_new(const struct rebuild_source *source)
{
    struct rebuild *r = mem_new(sizeof(*r));

    r->source = source;
    r->requests.phrase = source->phrase;
    return r;
}

struct rebuild_counts
rebuild_counts(const struct rebuild *r)
{
    return r->counts;
}

/* ---- registrations ---- */

static int
insert_registration(struct rebuild *r, struct store_db *db, const struct leaf *leaf, uint64_t index,
                    struct err *e)
{
    CLEANUP(buf_free) struct buf cms = BUF_INIT(CMS_MAX);
    CLEANUP(buf_free) struct buf json = BUF_INIT(JSON_MAX);
    CLEANUP(buf_free) struct buf packed = {0};
    struct rebuild_octets registrar;

    if (rebuild_octets(leaf, "registrar", &registrar, e) != 0 ||
        rebuild_base64(leaf, leaf_text(leaf, "batch") != NULL ? "batch" : "cms", &cms, e) != 0) {
        return -1;
    }
    if (cms.n == 0) {
        return err_set(e, ERR_STORE, "the leaf does not have the registration itself");
    }
    if (r->source->content(r->source->arg, buf_span(&cms), leaf_time(leaf), &json, e) != 0) {
        return -1;
    }
    if (packed_make(db, "registration", buf_span(&json), &packed, e) != 0) {
        return -1;
    }
    r->counts.registrations++;
    return store_exec(
        db,
        "INSERT INTO registration(id, cms, json, nf_instance, registrar, not_before, not_after, "
        "certificates, registered, leaf, supersedes, proof) "
        "VALUES(?1, x'', ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, " ISSUANCE_PINS("unpacked(?2)") ")",
        STORE_VALUES(store_text(leaf_text(leaf, "registration")), store_blob(buf_span(&packed)),
                     store_text(leaf_text(leaf, "nfInstanceId")), rebuild_value(&registrar),
                     rebuild_time(leaf, "notBefore"), rebuild_time(leaf, "notAfter"),
                     store_int(leaf_int(leaf, "certificates", 0)), store_int(leaf_time(leaf)),
                     store_int((int64_t)index), store_text(leaf_text(leaf, "supersedes"))),
        e);
}

/* One live registration of each network function: the one before is followed by this one. */
static int
registration(struct rebuild *r, struct store_db *db, const struct leaf *leaf, uint64_t index,
             struct err *e)
{
    return store_exec(db, "UPDATE registration SET state = 2 WHERE nf_instance = ?1 AND state = 0",
                      STORE_VALUES(store_text(leaf_text(leaf, "nfInstanceId"))), e) != 0
               ? -1
               : insert_registration(r, db, leaf, index, e);
}

static int
cancel(struct store_db *db, const struct leaf *leaf, uint64_t index, struct err *e)
{
    return store_exec(
               db, "UPDATE registration SET state = 1, leaf = ?2 WHERE id = ?1",
               STORE_VALUES(store_text(leaf_text(leaf, "registration")), store_int((int64_t)index)),
               e) != 0
               ? -1
               : rebuild_one(db, "cancelled", e);
}

/* ---- revocations and CRLs ---- */

static int
revoked(struct rebuild *r, struct store_db *db, const struct leaf *leaf, uint64_t index,
        struct err *e)
{
    struct rebuild_octets serial;
    struct rebuild_octets rr;

    if (rebuild_octets(leaf, "serial", &serial, e) != 0 ||
        rebuild_octets(leaf, "rr", &rr, e) != 0 ||
        store_exec(db,
                   "INSERT INTO revocation(serial, revoked, reason, not_after, crl_date) "
                   "SELECT serial, ?2, ?3, not_after, ?4 FROM request WHERE serial = ?1",
                   STORE_VALUES(rebuild_value(&serial), store_int(leaf_time(leaf)),
                                store_int(leaf_int(leaf, "reason", 0)),
                                rebuild_time(leaf, "revocationDate")),
                   e) != 0 ||
        rebuild_one(db, "revoked", e) != 0) {
        return -1;
    }
    r->counts.revocations++;
    /* What was given up directly before has its last leaf here. */
    if (store_exec(db,
                   "UPDATE request SET leaf = ?2 WHERE serial = ?1 AND state = 5 AND leaf = ?2 - 1",
                   STORE_VALUES(rebuild_value(&serial), store_int((int64_t)index)), e) != 0 ||
        store_exec(db,
                   "UPDATE certificate SET revoked = ?2 WHERE request = (SELECT rowid FROM request "
                   "WHERE serial = ?1) AND revoked IS NULL",
                   STORE_VALUES(rebuild_value(&serial), store_int((int64_t)index)), e) != 0) {
        return -1;
    }
    return rr.n == 0
               ? 0
               : store_exec(db,
                            "INSERT INTO revocation_request(rid, serial, evidence, created, "
                            "leaf) VALUES(?1, ?2, x'', ?3, ?4)",
                            STORE_VALUES(rebuild_value(&rr), rebuild_value(&serial),
                                         store_int(leaf_time(leaf)), store_int((int64_t)index)),
                            e);
}

static int
crl_intent(struct store_db *db, const struct leaf *leaf, struct err *e)
{
    return store_exec(db,
                      "INSERT INTO crl(number, this_update, next_update) VALUES(?1, ?2, ?3) "
                      "ON CONFLICT(number) DO NOTHING",
                      STORE_VALUES(store_int(leaf_int(leaf, "number", 0)),
                                   rebuild_time(leaf, "thisUpdate"),
                                   rebuild_time(leaf, "nextUpdate")),
                      e);
}

/* The number of a CRL that nobody announced is taken. */
static int
acknowledged(struct store_db *db, const struct leaf *leaf, struct err *e)
{
    const int64_t number = leaf_int(leaf, "number", 0);

    return number == 0 ? 0
                       : store_exec(db,
                                    "INSERT INTO crl(number, this_update, next_update) SELECT ?1, "
                                    "?2, ?2 WHERE ?1 > (SELECT coalesce(max(number), 0) FROM crl)",
                                    STORE_VALUES(store_int(number), store_int(leaf_time(leaf))), e);
}

static int
crl(struct rebuild *r, struct store_db *db, const struct leaf *leaf, struct err *e)
{
    const struct store_value number = store_int(leaf_int(leaf, "number", 0));
    struct rebuild_octets wanted;
    uint8_t hash[SHA256_SIZE];
    bool given;

    if (sha256(r->source->crl, hash, e) != 0 || rebuild_octets(leaf, "sha256", &wanted, e) != 0 ||
        crl_intent(db, leaf, e) != 0) {
        return -1;
    }
    given = span_equal(span_of(hash, sizeof(hash)), span_of(wanted.octets, wanted.n));
    r->counts.crls++;
    return store_exec(db, "UPDATE crl SET der = ?1, entries = ?2 WHERE number = ?3 AND der IS NULL",
                      STORE_VALUES(store_blob(given ? r->source->crl : span_of("", 0)),
                                   store_int(leaf_int(leaf, "entries", 0)), number),
                      e) != 0
               ? -1
               : rebuild_one(db, "a CRL", e);
}

/* ---- the rest ---- */

static int
config(struct store_db *db, const struct leaf *leaf, struct err *e)
{
    struct rebuild_octets hash;

    return rebuild_octets(leaf, "sha256", &hash, e) != 0
               ? -1
               : store_exec(db,
                            "INSERT INTO setting(name, value) VALUES(?1, ?2) "
                            "ON CONFLICT(name) DO UPDATE SET value = excluded.value",
                            STORE_VALUES(store_text(leaf_text(leaf, "file")), rebuild_value(&hash)),
                            e);
}

static int
queue_head(struct store_db *db, const struct leaf *leaf, uint64_t index, struct err *e)
{
    struct rebuild_octets head;
    struct rebuild_octets ra;

    return rebuild_octets(leaf, "head", &head, e) != 0 || rebuild_octets(leaf, "ra", &ra, e) != 0 ||
                   store_exec(db, "DELETE FROM queue_head WHERE recorded < ?1 OR hash = ?2",
                              STORE_VALUES(store_int(leaf_time(leaf) - LEAF_HEAD_AGE_MAX),
                                           rebuild_value(&head)),
                              e) != 0
               ? -1
               : store_exec(db,
                            "INSERT INTO queue_head(hash, ra, recorded, leaf) "
                            "VALUES(?1, ?2, ?3, ?4)",
                            STORE_VALUES(rebuild_value(&head), rebuild_value(&ra),
                                         store_int(leaf_time(leaf)), store_int((int64_t)index)),
                            e);
}

static int
rows_of(struct rebuild *r, struct store_db *db, const struct leaf *leaf, uint64_t index,
        struct err *e)
{
    switch (leaf_kind(leaf)) {
    case LEAF_REGISTRATION:
        return registration(r, db, leaf, index, e);
    case LEAF_CANCEL:
        return cancel(db, leaf, index, e);
    case LEAF_REQUEST:
        return rebuild_request(&r->requests, db, leaf, index, e);
    case LEAF_REFUSAL:
        return rebuild_refusal(&r->requests, db, leaf, index, e);
    case LEAF_INTENT:
        return rebuild_intent(&r->requests, db, leaf, index, e);
    case LEAF_ISSUED:
        r->counts.certificates++;
        return rebuild_issued(&r->requests, db, leaf, index, e);
    case LEAF_CONFIRMED:
        return rebuild_confirmed(db, leaf, index, e);
    case LEAF_REJECTED:
        return rebuild_rejected(&r->requests, db, leaf, index, e);
    case LEAF_REVOKED:
        return revoked(r, db, leaf, index, e);
    case LEAF_CRL:
        return crl(r, db, leaf, e);
    case LEAF_CRL_INTENT:
        return crl_intent(db, leaf, e);
    case LEAF_APPROVAL:
        return rebuild_approval(db, leaf, index, e);
    case LEAF_AGAIN:
        return rebuild_again(db, leaf, index, e);
    case LEAF_QUEUE_HEAD:
        return queue_head(db, leaf, index, e);
    case LEAF_CONFIG:
        return config(db, leaf, e);
    case LEAF_ACKNOWLEDGED:
        return acknowledged(db, leaf, e);
    case LEAF_START:
    case LEAF_STOP:
    case LEAF_RECOVERED:
    case LEAF_CEREMONY:
    case LEAF_SEALED:
    case LEAF_RESTORED:
    case LEAF_ADOPTED:
    case LEAF_RA_REPORT:
    case LEAF_OPERATION:
    case LEAF_CLOCK:
    case LEAF_KINDS:
        break;
    }
    return 0;
}

int
rebuild_leaf(struct rebuild *r, struct store_db *db, const struct leaf *leaf, uint64_t index,
             struct err *e)
{
    return rows_of(r, db, leaf, index, e) == 0
               ? 0
               : err_wrap(e, "leaf %llu, %s", (unsigned long long)index,
                          leaf_kind_name(leaf_kind(leaf)));
}

int
rebuild_end(struct rebuild *r, struct store_db *db, struct err *e)
{
    return rebuild_requests_end(&r->requests, db, e);
}
