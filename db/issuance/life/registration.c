/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <string.h>

#include "db/issuance/rows.h"
#include "db/ledger/subject.h"

enum { CMS_MAX = 64 * 1024, SERIAL_MAX = 20, ID_OCTETS = (ISSUANCE_ID_SIZE - 1) / 2 };

void
issuance_registration_free(struct issuance_registration *r)
{
    buf_free(&r->cms);
    buf_free(&r->json);
    buf_free(&r->registrar);
}

static int
registration_from(const struct store_rows *rows, struct issuance_registration *out, struct err *e)
{
    memset(out, 0, sizeof(*out));
    out->cms = BUF_INIT(CMS_MAX);
    out->json = BUF_INIT(CMS_MAX);
    out->registrar = BUF_INIT(SERIAL_MAX);
    row_copy_text(rows, 0, out->id, sizeof(out->id));
    row_copy_text(rows, 1, out->nf_instance, sizeof(out->nf_instance));
    out->not_before = (time_t)row_int(rows, 3);
    out->not_after = (time_t)row_int(rows, 4);
    out->certificates = (int)row_int(rows, 5);
    out->used = (int)row_int(rows, 6);
    out->state = (enum issuance_registration_state)row_int(rows, 7);
    out->registered = (time_t)row_int(rows, 8);
    if (buf_set(&out->registrar, row_blob(rows, 2), e) != 0 ||
        buf_set(&out->cms, row_blob(rows, 9), e) != 0) {
        return -1;
    }
    return buf_set(&out->json, row_blob(rows, 10), e);
}

/* A row has no octets that its leaf has: only one of an earlier version has them. The
 * identifier is their hash. */
static int
signed_octets(struct store_db *db, struct issuance_registration *r, struct err *e)
{
    CLEANUP(store_end) struct store_rows rows = {0};
    CLEANUP(mem_cleanup) char *text = NULL;
    uint8_t id[ID_OCTETS];
    uint8_t hash[SHA256_SIZE];
    struct span octets;

    if (hex_parse(r->id, id, sizeof(id), e) != 0 ||
        store_query_one(db, &rows,
                        "SELECT unpacked(l.body) FROM leaf_subject o JOIN leaf l ON l.idx = o.idx "
                        "WHERE o.subject = ?1 AND l.kind = 'REGISTRATION' ORDER BY o.idx LIMIT 1",
                        STORE_VALUES(store_blob(span_of(id, sizeof(id)))), e) != 0) {
        return err_set(e, ERR_STALE, "ca.db: registration %s: its leaf is missing", r->id);
    }
    octets = subject_text(row_blob(&rows, 0), "cms");
    if (octets.n == 0) {
        octets = subject_text(row_blob(&rows, 0), "batch");
    }
    text = mem_printf("%.*s", (int)octets.n, octets.n == 0 ? "" : (const char *)octets.p);
    if (base64_parse(text, &r->cms, e) != 0 || sha256(buf_span(&r->cms), hash, e) != 0) {
        return -1;
    }
    return memcmp(hash, id, sizeof(id)) == 0
               ? 0
               : err_set(e, ERR_STALE, "ca.db: registration %s: its leaf is of another", r->id);
}

#define COLUMNS                                                                                    \
    "SELECT id, nf_instance, registrar, not_before, not_after, certificates, used, state, "        \
    "registered, "

int
issuance_registration_find(struct store_db *db, const char *id, struct issuance_registration *out,
                           bool *found, struct err *e)
{
    CLEANUP(store_end) struct store_rows rows = {0};
    enum issuance_role role;

    *found = false;
    if (store_query(db, &rows, COLUMNS "cms, unpacked(json) FROM registration WHERE id = ?1",
                    STORE_VALUES(store_text(id)), e) != 0 ||
        store_next(&rows, found, e) != 0 || (*found && registration_from(&rows, out, e) != 0)) {
        return -1;
    }
    store_end(&rows);
    if (!*found) {
        return 0;
    }
    if (issuance_role_of_serial(db, buf_span(&out->registrar), &role, e) != 0) {
        return -1;
    }
    out->by_registrar = role == ISSUANCE_REGISTRAR;
    return out->cms.n > 0 ? 0 : signed_octets(db, out, e);
}

int
issuance_is_registered(struct store_db *db, const char *id, bool *is, struct err *e)
{
    return store_has_row(db, "SELECT 1 FROM registration WHERE id = ?1",
                         STORE_VALUES(store_text(id)), is, e);
}

int
issuance_registration_each(struct store_db *db, int limit,
                           void (*visit)(void *arg, const struct issuance_registration *),
                           void *arg, struct err *e)
{
    CLEANUP(store_end) struct store_rows rows = {0};
    bool row = true;

    if (store_query(db, &rows,
                    COLUMNS
                    "x'', x'' FROM registration ORDER BY registered DESC, rowid DESC LIMIT ?1",
                    STORE_VALUES(store_int(limit)), e) != 0) {
        return -1;
    }
    while (store_next(&rows, &row, e) == 0) {
        CLEANUP(issuance_registration_free) struct issuance_registration r = {0};

        if (!row) {
            return 0;
        }
        if (registration_from(&rows, &r, e) != 0) {
            return -1;
        }
        visit(arg, &r);
    }
    return -1;
}

/* Says the migration that made the texts. */
static int
may_share(struct store_db *db, bool *may, struct err *e)
{
    return store_has_row(db, "SELECT 1 FROM setting WHERE name = 'shared-proofs'", STORE_NO_VALUES,
                         may, e);
}

int
issuance_registration_each_shared(struct store_db *db, time_t now, int limit,
                                  void (*visit)(void *arg, const char *id, const char *other),
                                  void *arg, struct err *e)
{
    CLEANUP(store_end) struct store_rows rows = {0};
    bool row = true;

    if (may_share(db, &row, e) != 0) {
        return -1;
    }
    if (!row) {
        return 0;
    }
    if (store_query(db, &rows,
                    "SELECT a.id, b.id FROM registration a JOIN registration b "
                    "ON b.proof = a.proof AND b.rowid > a.rowid AND b.state = 0 "
                    "AND b.not_after >= ?1 "
                    "WHERE a.state = 0 AND a.proof IS NOT NULL AND a.not_after >= ?1 LIMIT ?2",
                    STORE_VALUES(store_int(now), store_int(limit)), e) != 0) {
        return -1;
    }
    while (store_next(&rows, &row, e) == 0) {
        char id[ISSUANCE_ID_SIZE];
        char other[ISSUANCE_ID_SIZE];

        if (!row) {
            return 0;
        }
        row_copy_text(&rows, 0, id, sizeof(id));
        row_copy_text(&rows, 1, other, sizeof(other));
        visit(arg, id, other);
    }
    return -1;
}

/* Is a certificate of this network function live, by whatever registration? */
static int
has_live_certificate(struct store_db *db, const char *nf_instance, time_t now, bool *live,
                     struct err *e)
{
    return store_has_row(db,
                         "SELECT 1 FROM registration g JOIN request q ON q.registration = g.id "
                         "JOIN " ISSUANCE_CERTIFICATE
                         "WHERE g.nf_instance = ?1 AND c.not_after >= ?2 AND "
                         "c.revoked IS NULL LIMIT 1",
                         STORE_VALUES(store_text(nf_instance), store_int(now)), live, e);
}

/* Into r->owner the live registration of this nfInstanceId, "" when there is none. Not *owned: it
 * may be followed by another, because it is used up or its window has passed, and nothing under it
 * is live. */
static int
check_owner(struct store_db *db, struct issuance_registration *r, time_t now, bool *owned,
            struct err *e)
{
    CLEANUP(store_end) struct store_rows rows = {0};
    bool row;
    bool live;

    *owned = false;
    r->owner[0] = '\0';
    if (store_query(db, &rows,
                    "SELECT id, used, certificates, not_after FROM registration "
                    "WHERE nf_instance = ?1 AND state = 0",
                    STORE_VALUES(store_text(r->nf_instance)), e) != 0 ||
        store_next(&rows, &row, e) != 0) {
        return -1;
    }
    if (!row) {
        return 0;
    }
    *owned = row_int(&rows, 1) < row_int(&rows, 2) && row_int(&rows, 3) >= now;
    row_copy_text(&rows, 0, r->owner, sizeof(r->owner));
    store_end(&rows);
    if (has_live_certificate(db, r->nf_instance, now, &live, e) != 0) {
        return -1;
    }
    *owned = *owned || live;
    return 0;
}

/* May it be registered though the nfInstanceId is *owned (R5)? When it says so itself. */
static enum issuance_outcome
judge_owner(const struct issuance_registration *r, bool owned)
{
    if (r->supersedes == NULL) {
        return owned ? ISSUANCE_OWNED : ISSUANCE_DONE;
    }
    return strcmp(r->supersedes, r->owner) == 0 ? ISSUANCE_DONE : ISSUANCE_SUPERSEDES_NOTHING;
}

/* Into r->proven. What has ended proves nothing any more; one of the same nfInstanceId is followed.
 */
static int
check_proof(struct store_db *db, struct issuance_registration *r, time_t now, struct err *e)
{
    CLEANUP(store_end) struct store_rows rows = {0};
    bool row = false;

    r->proven[0] = '\0';
    if (r->pins == NULL) {
        return 0;
    }
    if (store_query(db, &rows,
                    "SELECT id FROM registration WHERE proof = ?1 AND state = 0 "
                    "AND not_after >= ?2 AND nf_instance <> ?3 LIMIT 1",
                    STORE_VALUES(store_text(r->pins), store_int(now), store_text(r->nf_instance)),
                    e) != 0 ||
        store_next(&rows, &row, e) != 0) {
        return -1;
    }
    if (row) {
        row_copy_text(&rows, 0, r->proven, sizeof(r->proven));
    }
    return 0;
}

static int
append_leaf(struct store_db *db, const struct issuance_registration *r, time_t now, uint64_t *index,
            struct err *e)
{
    CLEANUP(leaf_cleanup) struct leaf *leaf = leaf_new(LEAF_REGISTRATION, now);
    uint8_t hash[SHA256_SIZE];

    if (sha256(buf_span(&r->cms), hash, e) != 0) {
        return -1;
    }
    leaf_set_hex(leaf, "registration", span_of(hash, (ISSUANCE_ID_SIZE - 1) / 2));
    leaf_set_hex(leaf, "sha256", span_of(hash, sizeof(hash)));
    leaf_set_text(leaf, "nfInstanceId", r->nf_instance);
    leaf_set_hex(leaf, "registrar", buf_span(&r->registrar));
    leaf_set_text(leaf, "proof", r->proof);
    leaf_set_int(leaf, "certificates", r->certificates);
    leaf_set_time(leaf, "notBefore", r->not_before);
    leaf_set_time(leaf, "notAfter", r->not_after);
    leaf_set_base64(leaf, r->of_batch ? "batch" : "cms", buf_span(&r->cms));
    if (r->supersedes != NULL) {
        leaf_set_text(leaf, "supersedes", r->supersedes);
    }
    return ledger_append(db, leaf, index, e);
}

static int
insert(struct store_db *db, struct issuance_registration *r, time_t now, struct err *e)
{
    CLEANUP(buf_free) struct buf json = {0};

    if (r->owner[0] != '\0' &&
        store_exec(db, "UPDATE registration SET state = 2 WHERE id = ?1 AND state = 0",
                   STORE_VALUES(store_text(r->owner)), e) != 0) {
        return -1;
    }
    if (append_leaf(db, r, now, &r->leaf, e) != 0 ||
        packed_make(db, "registration", buf_span(&r->json), &json, e) != 0) {
        return -1;
    }
    return store_exec(
        db,
        "INSERT INTO registration(id, cms, json, nf_instance, registrar, not_before, not_after, "
        "certificates, registered, leaf, supersedes, proof) "
        "VALUES(?1, x'', ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
        STORE_VALUES(store_text(r->id), store_blob(buf_span(&json)), store_text(r->nf_instance),
                     store_blob(buf_span(&r->registrar)), store_int(r->not_before),
                     store_int(r->not_after), store_int(r->certificates), store_int(now),
                     store_int((int64_t)r->leaf), store_text(r->supersedes), store_text(r->pins)),
        e);
}

static int
is_known(struct store_db *db, const char *id, struct issuance_registration *r, bool *known,
         struct err *e)
{
    CLEANUP(store_end) struct store_rows rows = {0};

    if (store_query(db, &rows, "SELECT state, used, leaf FROM registration WHERE id = ?1",
                    STORE_VALUES(store_text(id)), e) != 0 ||
        store_next(&rows, known, e) != 0) {
        return -1;
    }
    if (*known) {
        r->state = (enum issuance_registration_state)row_int(&rows, 0);
        r->used = (int)row_int(&rows, 1);
        r->leaf = (uint64_t)row_int(&rows, 2);
    }
    return 0;
}

/* The same signed content under another id. */
static int
is_repeated(struct store_db *db, const struct issuance_registration *r, bool *repeated,
            struct err *e)
{
    return store_has_row(
        db, "SELECT 1 FROM registration WHERE nf_instance = ?1 AND unpacked(json) = ?2",
        STORE_VALUES(store_text(r->nf_instance), store_blob(buf_span(&r->json))), repeated, e);
}

int
issuance_register(struct store_db *db, struct issuance_registration *r, struct span registrar_der,
                  time_t now, enum issuance_outcome *outcome, struct err *e)
{
    bool known;
    bool ours;
    bool owned;
    bool repeated;

    assert(r != NULL);
    if (is_known(db, r->id, r, &known, e) != 0 || is_repeated(db, r, &repeated, e) != 0 ||
        issuance_is_ours(db, registrar_der, ISSUANCE_REGISTRAR, &ours, e) != 0 ||
        check_owner(db, r, now, &owned, e) != 0 || check_proof(db, r, now, e) != 0) {
        return -1;
    }
    *outcome = known                ? ISSUANCE_KNOWN
               : !ours              ? ISSUANCE_SIGNER_UNKNOWN
               : r->not_after < now ? ISSUANCE_NOT_REGISTERED
               : repeated           ? ISSUANCE_REPEATED
                                    : judge_owner(r, owned);
    if (*outcome == ISSUANCE_DONE && r->proven[0] != '\0') {
        *outcome = ISSUANCE_PROOF_SHARED;
    }
    return *outcome == ISSUANCE_DONE ? insert(db, r, now, e) : 0;
}

static int
append_cancel(struct store_db *db, const struct issuance_cancellation *c, uint64_t *index,
              struct err *e)
{
    CLEANUP(leaf_cleanup) struct leaf *leaf = leaf_new(LEAF_CANCEL, c->when.now);
    uint8_t octets[(ISSUANCE_ID_SIZE - 1) / 2];

    if (hex_parse(c->id, octets, sizeof(octets), e) != 0) {
        return -1;
    }
    leaf_set_hex(leaf, "registration", span_of(octets, sizeof(octets)));
    if (c->by != NULL) {
        leaf_set_text(leaf, "by", c->by);
    } else {
        leaf_set_hex(leaf, "registrar", c->registrar);
        leaf_set_base64(leaf, "cms", c->cms);
    }
    return ledger_append(db, leaf, index, e);
}

int
issuance_cancel(struct store_db *db, const struct issuance_cancellation *c, uint64_t *leaf,
                int *revoked, enum issuance_outcome *outcome, struct err *e)
{
    CLEANUP(store_end) struct store_rows rows = {0};
    bool ours = true;
    bool row;
    int64_t state;

    *revoked = 0;
    if ((c->by == NULL &&
         issuance_is_ours(db, c->registrar_der, ISSUANCE_REGISTRAR, &ours, e) != 0) ||
        store_query(db, &rows, "SELECT state, leaf, registered FROM registration WHERE id = ?1",
                    STORE_VALUES(store_text(c->id)), e) != 0 ||
        store_next(&rows, &row, e) != 0) {
        return -1;
    }
    state = row ? row_int(&rows, 0) : ISSUANCE_LIVE;
    *leaf = row ? (uint64_t)row_int(&rows, 1) : 0;
    if (row && c->by == NULL && c->signed_at < (time_t)row_int(&rows, 2)) {
        row = false;
    }
    store_end(&rows);
    *outcome = !ours                         ? ISSUANCE_SIGNER_UNKNOWN
               : !row                        ? ISSUANCE_NOT_REGISTERED
               : state == ISSUANCE_CANCELLED ? ISSUANCE_KNOWN
                                             : ISSUANCE_DONE;
    if (*outcome != ISSUANCE_DONE) {
        return 0;
    }
    if (append_cancel(db, c, leaf, e) != 0 ||
        issuance_revoke_under(db, c->id, state == ISSUANCE_LIVE, c->when, revoked, e) != 0) {
        return -1;
    }
    return store_exec(db, "UPDATE registration SET state = 1, leaf = ?2 WHERE id = ?1",
                      STORE_VALUES(store_text(c->id), store_int((int64_t)*leaf)), e);
}
