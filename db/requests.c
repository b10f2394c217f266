/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Each state change names the states that it may leave in its WHERE clause, so a verb that comes
 * late or twice changes nothing, and store_changes() tells.
 */
#include "db/requests.h"

#include <assert.h>
#include <string.h>

#include "base/ossl.h"

enum {
    CERTIFICATE_MAX = 16 * 1024,
    MESSAGE_MAX = 64 * 1024, /* nothing in a message is longer */
    REQUESTS_BODY_KUR = 7,   /* enum cmp_body, RFC 9810 5.1.2 */
};

const char *
requests_state_name(enum requests_state state)
{
    switch (state) {
    case REQUESTS_QUEUED:
        return "queued";
    case REQUESTS_ANSWERED:
        return "answered";
    case REQUESTS_SENT:
        return "sent";
    case REQUESTS_CONFIRMING:
        return "confirming";
    case REQUESTS_CONFIRMED:
        return "confirmed";
    case REQUESTS_REJECTED:
        return "rejected";
    case REQUESTS_UNCONFIRMED:
        return "unconfirmed";
    }
    return "unknown";
}

/* ---- the queue ---- */

void
requests_entry_clear(struct requests_entry *entry)
{
    buf_free(&entry->nested);
    memset(entry, 0, sizeof(*entry));
}

static int
entry_hash(const struct requests_entry *entry, struct span nested, uint8_t out[SHA256_SIZE],
           struct err *e)
{
    CLEANUP(evp_md_ctx_cleanup) EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    uint8_t sequence[8];

    for (size_t i = 0; i < sizeof(sequence); i++) {
        sequence[i] = (uint8_t)(entry->sequence >> (8 * (sizeof(sequence) - 1 - i)));
    }
    if (ctx == NULL || EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) != 1 ||
        EVP_DigestUpdate(ctx, entry->previous, sizeof(entry->previous)) != 1 ||
        EVP_DigestUpdate(ctx, sequence, sizeof(sequence)) != 1 ||
        EVP_DigestUpdate(ctx, entry->rid, sizeof(entry->rid)) != 1 ||
        EVP_DigestUpdate(ctx, nested.p, nested.n) != 1 || EVP_DigestFinal_ex(ctx, out, NULL) != 1) {
        return ossl_err(e, ERR_CRYPTO, "hash of a queue entry");
    }
    return 0;
}

/* The last entry's sequence and hash; zero for an empty queue. The last one is never forgotten, so
 * the chain goes on over housekeeping. */
static int
queue_head(struct store_db *db, uint64_t *sequence, uint8_t hash[SHA256_SIZE], struct err *e)
{
    CLEANUP(store_end) struct store_rows rows = {0};
    bool row = false;

    *sequence = 0;
    memset(hash, 0, SHA256_SIZE);
    if (store_query(db, &rows, "SELECT sequence, hash FROM queue ORDER BY sequence DESC LIMIT 1",
                    STORE_NO_VALUES, e) != 0 ||
        store_next(&rows, &row, e) != 0) {
        return -1;
    }
    if (row) {
        struct span stored = row_blob(&rows, 1);

        if (stored.n != SHA256_SIZE) {
            return err_set(e, ERR_STORE, "queue: the hash of the last entry is damaged");
        }
        *sequence = (uint64_t)row_int(&rows, 0);
        memcpy(hash, stored.p, SHA256_SIZE);
    }
    return 0;
}

static int
enqueue(struct store_db *db, int64_t enrolment, struct span rid, struct span nested,
        struct requests_entry *entry, struct err *e)
{
    uint8_t hash[SHA256_SIZE];

    assert(rid.n == REQUESTS_RID_SIZE);
    if (queue_head(db, &entry->sequence, entry->previous, e) != 0) {
        return -1;
    }
    entry->sequence++;
    memcpy(entry->rid, rid.p, rid.n);
    if (entry_hash(entry, nested, hash, e) != 0) {
        return -1;
    }
    return store_exec(db,
                      "INSERT INTO queue (sequence, rid, enrolment, nested, previous, hash) "
                      "VALUES (?, ?, ?, ?, ?, ?)",
                      STORE_VALUES(store_int((int64_t)entry->sequence), store_blob(rid),
                                   store_int(enrolment), store_blob(nested),
                                   store_blob(span_of(entry->previous, sizeof(entry->previous))),
                                   store_blob(span_of(hash, sizeof(hash)))),
                      e);
}

static int
entry_read(const struct store_rows *rows, struct requests_entry *out, struct err *e)
{
    struct span rid = row_blob(rows, 1);
    struct span previous = row_blob(rows, 3);

    if (rid.n != sizeof(out->rid) || previous.n != sizeof(out->previous)) {
        return err_set(e, ERR_STORE, "queue entry %lld is damaged", (long long)row_int(rows, 0));
    }
    out->sequence = (uint64_t)row_int(rows, 0);
    memcpy(out->rid, rid.p, rid.n);
    memcpy(out->previous, previous.p, previous.n);
    buf_free(&out->nested);
    out->nested = BUF_INIT(SIZE_MAX);
    return buf_set(&out->nested, row_blob(rows, 2), e);
}

int
requests_open_each(struct store_db *db, uint64_t after, int64_t now, int limit,
                   void (*visit)(void *arg, const struct requests_entry *), void *arg,
                   struct err *e)
{
    CLEANUP(store_end) struct store_rows rows = {0};
    CLEANUP(requests_entry_clear) struct requests_entry entry = {0};
    bool row = false;

    if (store_query(db, &rows,
                    "SELECT sequence, rid, nested, previous FROM queue "
                    "WHERE answered = 0 AND sequence > ? AND again_at <= ? AND NOT EXISTS "
                    "(SELECT 1 FROM enrolment x JOIN registration g ON g.id = x.registration "
                    "WHERE x.id = queue.enrolment AND x.state = 0 AND g.cancelled = 1) "
                    "ORDER BY sequence LIMIT ?",
                    STORE_VALUES(store_int((int64_t)after), store_int(now), store_int(limit)),
                    e) != 0 ||
        store_next(&rows, &row, e) != 0) {
        return -1;
    }
    while (row) {
        if (entry_read(&rows, &entry, e) != 0) {
            return -1;
        }
        visit(arg, &entry);
        if (store_next(&rows, &row, e) != 0) {
            return -1;
        }
    }
    return 0;
}

int
requests_verify_chain(struct store_db *db, struct err *e)
{
    CLEANUP(store_end) struct store_rows rows = {0};
    CLEANUP(requests_entry_clear) struct requests_entry entry = {0};
    uint8_t expected[SHA256_SIZE];
    uint8_t last[SHA256_SIZE] = {0};
    uint64_t before = 0;
    bool row = false;

    if (store_query(db, &rows,
                    "SELECT sequence, rid, nested, previous, hash FROM queue ORDER BY sequence",
                    STORE_NO_VALUES, e) != 0 ||
        store_next(&rows, &row, e) != 0) {
        return -1;
    }
    while (row) {
        if (entry_read(&rows, &entry, e) != 0 ||
            entry_hash(&entry, buf_span(&entry.nested), expected, e) != 0) {
            return -1;
        }
        /* What ended is forgotten before an older entry that still waits: a gap is no break. */
        if (!span_equal(span_of(expected, sizeof(expected)), row_blob(&rows, 4)) ||
            (entry.sequence == before + 1 && memcmp(last, entry.previous, sizeof(last)) != 0)) {
            return err_set(e, ERR_STORE, "the queue's chain breaks at entry %llu",
                           (unsigned long long)entry.sequence);
        }
        memcpy(last, expected, sizeof(last));
        before = entry.sequence;
        if (store_next(&rows, &row, e) != 0) {
            return -1;
        }
    }
    return 0;
}

int
requests_count_open(struct store_db *db, int *open, struct err *e)
{
    CLEANUP(store_end) struct store_rows rows = {0};

    if (store_query_one(db, &rows, "SELECT count(*) FROM queue WHERE answered = 0", STORE_NO_VALUES,
                        e) != 0) {
        return -1;
    }
    *open = (int)row_int(&rows, 0);
    return 0;
}

/* ---- enrolments ---- */

int
requests_remember(struct store_db *db, const char *identity, struct span transaction_id,
                  int64_t until, struct err *e)
{
    if (store_exec(db, "INSERT INTO seen (identity, transaction_id, until) VALUES (?, ?, ?)",
                   STORE_VALUES(store_text(identity), store_blob(transaction_id), store_int(until)),
                   e) != 0) {
        return e->code == ERR_CONFLICT
                   ? err_set(e, ERR_CONFLICT, "this transactionID was used before")
                   : -1;
    }
    return 0;
}

static int
last_id(struct store_db *db, int64_t *id, struct err *e)
{
    CLEANUP(store_end) struct store_rows rows = {0};

    if (store_query_one(db, &rows, "SELECT last_insert_rowid()", STORE_NO_VALUES, e) != 0) {
        return -1;
    }
    *id = row_int(&rows, 0);
    return 0;
}

int
requests_admit(struct store_db *db, const struct requests_admission *a, int64_t *enrolment,
               struct requests_entry *entry, struct err *e)
{
    if (requests_remember(db, a->identity, a->transaction_id, a->until, e) != 0) {
        return -1;
    }
    if (store_exec(db,
                   "UPDATE registration SET used = used + ?1 "
                   "WHERE id = ?2 AND cancelled = 0 AND used + ?1 <= certificates",
                   STORE_VALUES(store_int(!a->uncounted), store_text(a->registration)), e) != 0) {
        return -1;
    }
    if (store_changes(db) != 1) {
        return err_set(e, ERR_DENIED, "registration %s is cancelled or used up", a->registration);
    }
    if (store_exec(db,
                   "INSERT INTO enrolment (identity, transaction_id, registration, profile, body, "
                   "cert_req_id, implicit, uncounted, state, until, target, asked) "
                   "VALUES (?, ?, ?, ?, ?, ?, ?, ?, 0, ?, ?, ?)",
                   STORE_VALUES(
                       store_text(a->identity), store_blob(a->transaction_id),
                       store_text(a->registration), store_text(a->profile), store_int(a->body),
                       store_int(a->cert_req_id), store_int(a->implicit), store_int(a->uncounted),
                       store_int(a->until), a->target.n > 0 ? store_blob(a->target) : store_null(),
                       a->asked.n > 0 ? store_blob(a->asked) : store_null()),
                   e) != 0 ||
        last_id(db, enrolment, e) != 0) {
        return -1;
    }
    return enqueue(db, *enrolment, a->rid, a->nested, entry, e);
}

int
requests_ask(struct store_db *db, const struct requests_admission *a, struct span question,
             int64_t *enrolment, struct err *e)
{
    if (requests_remember(db, a->identity, a->transaction_id, a->until, e) != 0 ||
        store_exec(db,
                   "INSERT INTO enrolment (identity, transaction_id, registration, profile, body, "
                   "cert_req_id, implicit, uncounted, state, until, question) "
                   "VALUES (?, ?, ?, ?, ?, ?, 1, 1, 1, ?, ?)",
                   STORE_VALUES(store_text(a->identity), store_blob(a->transaction_id),
                                store_text(a->registration), store_text(a->profile),
                                store_int(a->body), store_int(a->cert_req_id), store_int(a->until),
                                store_blob(question)),
                   e) != 0) {
        return -1;
    }
    return last_id(db, enrolment, e);
}

void
requests_enrolment_clear(struct requests_enrolment *x)
{
    buf_free(&x->nonce);
    buf_free(&x->nonce_before);
    buf_free(&x->certificate);
    buf_free(&x->question);
    buf_free(&x->asked);
    memset(x, 0, sizeof(*x));
}

#define ENROLMENT_COLUMNS                                                                          \
    "id, registration, body, cert_req_id, implicit, state, nonce, nonce_before, certificate, "     \
    "fail_info, phrase, accepted, profile, check_after, question, asked"

static int
enrolment_read(const struct store_rows *rows, struct requests_enrolment *out, struct err *e)
{
    requests_enrolment_clear(out);
    out->id = row_int(rows, 0);
    row_copy_text(rows, 1, out->registration, sizeof(out->registration));
    out->body = (int)row_int(rows, 2);
    out->cert_req_id = (int)row_int(rows, 3);
    out->implicit = row_int(rows, 4) != 0;
    out->state = (enum requests_state)row_int(rows, 5);
    out->fail_info = row_is_null(rows, 9) ? -1 : (int)row_int(rows, 9);
    row_copy_text(rows, 10, out->phrase, sizeof(out->phrase));
    out->accepted = row_int(rows, 11) != 0;
    row_copy_text(rows, 12, out->profile, sizeof(out->profile));
    out->check_after = (int)row_int(rows, 13);
    if (row_copy_blob(rows, 6, REQUESTS_NONCE_SIZE, &out->nonce, e) != 0 ||
        row_copy_blob(rows, 7, REQUESTS_NONCE_SIZE, &out->nonce_before, e) != 0 ||
        row_copy_blob(rows, 8, CERTIFICATE_MAX, &out->certificate, e) != 0 ||
        row_copy_blob(rows, 14, MESSAGE_MAX, &out->question, e) != 0 ||
        row_copy_blob(rows, 15, MESSAGE_MAX, &out->asked, e) != 0) {
        return err_wrap(e, "enrolment %lld", (long long)out->id);
    }
    return 0;
}

static int
enrolment_find(struct store_db *db, const char *sql, const struct store_value *values, size_t n,
               struct requests_enrolment *out, bool *found, struct err *e)
{
    CLEANUP(store_end) struct store_rows rows = {0};

    *found = false;
    if (store_query(db, &rows, sql, values, n, e) != 0 || store_next(&rows, found, e) != 0) {
        return -1;
    }
    return *found ? enrolment_read(&rows, out, e) : 0;
}

int
requests_enrolment_find(struct store_db *db, const char *identity, struct span transaction_id,
                        struct requests_enrolment *out, bool *found, bool *known, struct err *e)
{
    CLEANUP(store_end) struct store_rows rows = {0};

    *known = false;
    if (enrolment_find(
            db,
            "SELECT " ENROLMENT_COLUMNS " FROM enrolment WHERE identity = ? AND transaction_id = ?",
            STORE_VALUES(store_text(identity), store_blob(transaction_id)), out, found, e) != 0) {
        return -1;
    }
    if (*found) {
        *known = true;
        return 0;
    }
    if (store_query(db, &rows, "SELECT 1 FROM enrolment WHERE transaction_id = ? LIMIT 1",
                    STORE_VALUES(store_blob(transaction_id)), e) != 0) {
        return -1;
    }
    return store_next(&rows, known, e);
}

int
requests_enrolment_by_rid(struct store_db *db, struct span rid, struct requests_enrolment *out,
                          bool *found, struct err *e)
{
    return enrolment_find(db,
                          "SELECT " ENROLMENT_COLUMNS
                          " FROM enrolment WHERE id = (SELECT enrolment FROM queue WHERE rid = ?)",
                          STORE_VALUES(store_blob(rid)), out, found, e);
}

int
requests_admit_confirmation(struct store_db *db, int64_t enrolment, bool accepted, struct span rid,
                            struct span nested, struct requests_entry *entry, struct err *e)
{
    if (store_exec(db,
                   "UPDATE enrolment SET state = 3, accepted = ?, confirm_by = NULL "
                   "WHERE id = ? AND state IN (2, 6)",
                   STORE_VALUES(store_int(accepted), store_int(enrolment)), e) != 0) {
        return -1;
    }
    if (store_changes(db) != 1) {
        return err_set(e, ERR_CONFLICT, "nothing to confirm");
    }
    return enqueue(db, enrolment, rid, nested, entry, e);
}

int
requests_close(struct store_db *db, int64_t enrolment, struct err *e)
{
    return store_exec(db,
                      "UPDATE enrolment SET state = 5, accepted = 0, confirm_by = NULL "
                      "WHERE id = ? AND state IN (0, 1, 2, 6)",
                      STORE_VALUES(store_int(enrolment)), e);
}

int
requests_sent(struct store_db *db, int64_t enrolment, struct span nonce, bool delivers,
              int64_t confirm_by, struct err *e)
{
    if (store_exec(db, "UPDATE enrolment SET nonce_before = nonce, nonce = ? WHERE id = ?",
                   STORE_VALUES(store_blob(nonce), store_int(enrolment)), e) != 0) {
        return -1;
    }
    if (!delivers) {
        return 0;
    }
    return store_exec(
        db,
        "UPDATE enrolment SET state = CASE implicit WHEN 1 THEN 4 ELSE 2 END, "
        "confirm_by = CASE implicit WHEN 1 THEN NULL ELSE ? END WHERE id = ? AND state = 1",
        STORE_VALUES(store_int(confirm_by), store_int(enrolment)), e);
}

/* ---- answers of the CA ---- */

/* Marks the entry; *first is false when it was answered before. ERR_NOTFOUND. */
static int
mark_answered(struct store_db *db, struct span rid, bool *first, struct err *e)
{
    CLEANUP(store_end) struct store_rows rows = {0};

    if (store_query_one(db, &rows, "SELECT answered FROM queue WHERE rid = ?",
                        STORE_VALUES(store_blob(rid)), e) != 0) {
        return err_wrap(e, "answer to what was not asked");
    }
    *first = row_int(&rows, 0) == 0;
    return store_exec(db, "UPDATE queue SET answered = 1 WHERE rid = ?",
                      STORE_VALUES(store_blob(rid)), e);
}

#define OF_RID " WHERE id = (SELECT enrolment FROM queue WHERE rid = ?)"

int
requests_issued(struct store_db *db, struct span rid, struct span certificate, struct err *e)
{
    CLEANUP(store_end) struct store_rows rows = {0};
    bool first = false;

    if (mark_answered(db, rid, &first, e) != 0) {
        return -1;
    }
    if (first) {
        return store_exec(db,
                          "UPDATE enrolment SET state = 1, certificate = ?1 WHERE state = 0 AND "
                          "id = (SELECT enrolment FROM queue WHERE rid = ?2)",
                          STORE_VALUES(store_blob(certificate), store_blob(rid)), e);
    }
    if (store_query_one(db, &rows, "SELECT certificate, state FROM enrolment" OF_RID,
                        STORE_VALUES(store_blob(rid)), e) != 0) {
        return -1;
    }
    if (row_is_null(&rows, 0) && row_int(&rows, 1) == REQUESTS_REJECTED) {
        return 0; /* cancelled meanwhile: nobody gets it */
    }
    if (!span_equal(row_blob(&rows, 0), certificate)) {
        return err_set(e, ERR_CONFLICT, "the CA gave two certificates for one request");
    }
    return 0;
}

/* By a confirmation: the certificate that was rejected, or the one that a kur updated. */
static int
note_revoked(struct store_db *db, struct span rid, struct err *e)
{
    CLEANUP(requests_enrolment_clear) struct requests_enrolment x = {0};
    uint8_t fingerprint[SHA256_SIZE];
    bool found;

    if (requests_enrolment_by_rid(db, rid, &x, &found, e) != 0) {
        return -1;
    }
    if (!found || x.state != REQUESTS_CONFIRMING) {
        return 0;
    }
    if (x.accepted) {
        return x.body == REQUESTS_BODY_KUR ? requests_signer_revoked(db, rid, e) : 0;
    }
    return sha256(buf_span(&x.certificate), fingerprint, e) != 0
               ? -1
               : requests_certificate_revoked(db, span_of(fingerprint, sizeof(fingerprint)), e);
}

int
requests_done(struct store_db *db, struct span rid, struct err *e)
{
    bool first = false;

    if (mark_answered(db, rid, &first, e) != 0) {
        return -1;
    }
    return store_exec(db, "UPDATE enrolment SET state = 1" OF_RID " AND state = 0",
                      STORE_VALUES(store_blob(rid)), e);
}

int
requests_confirmed(struct store_db *db, struct span rid, struct err *e)
{
    bool first = false;

    if (mark_answered(db, rid, &first, e) != 0 || note_revoked(db, rid, e) != 0) {
        return -1;
    }
    return store_exec(db,
                      "UPDATE enrolment SET state = CASE accepted WHEN 1 THEN 4 ELSE 5 END "
                      "WHERE state = 3 AND id = (SELECT enrolment FROM queue WHERE rid = ?)",
                      STORE_VALUES(store_blob(rid)), e);
}

int
requests_waiting(struct store_db *db, struct span rid, const struct requests_wait *wait,
                 struct err *e)
{
    if (store_exec(db, "UPDATE queue SET again_at = ?1 WHERE rid = ?2 AND answered = 0",
                   STORE_VALUES(store_int(wait->again_at), store_blob(rid)), e) != 0) {
        return -1;
    }
    if (store_changes(db) != 1) {
        return err_set(e, ERR_NOTFOUND, "nothing waits for this answer");
    }
    return store_exec(db,
                      "UPDATE enrolment SET check_after = ?1, phrase = ?2, until = max(until, ?3) "
                      "WHERE state = 0 AND id = (SELECT enrolment FROM queue WHERE rid = ?4)",
                      STORE_VALUES(store_int(wait->check_after), store_text(wait->phrase),
                                   store_int(wait->until), store_blob(rid)),
                      e);
}

int
requests_refused(struct store_db *db, struct span rid, int fail_info, const char *phrase,
                 struct err *e)
{
    bool first = false;

    if (mark_answered(db, rid, &first, e) != 0) {
        return -1;
    }
    if (!first) {
        return 0;
    }
    if (store_exec(db,
                   "UPDATE registration SET used = used - 1 WHERE used > 0 AND id = "
                   "(SELECT registration FROM enrolment WHERE state = 0 AND uncounted = 0 AND id = "
                   "(SELECT enrolment FROM queue WHERE rid = ?))",
                   STORE_VALUES(store_blob(rid)), e) != 0) {
        return -1;
    }
    return store_exec(db,
                      "UPDATE enrolment SET state = 5, fail_info = ?1, phrase = ?2 "
                      "WHERE state IN (0, 3) AND id = (SELECT enrolment FROM queue WHERE rid = ?3)",
                      STORE_VALUES(store_int(fail_info), store_text(phrase), store_blob(rid)), e);
}

/* ---- housekeeping ---- */

int
requests_expire(struct store_db *db, int64_t now, int *overdue, struct err *e)
{
    if (store_exec(db,
                   "UPDATE enrolment SET state = 6, confirm_by = NULL "
                   "WHERE state = 2 AND confirm_by < ?",
                   STORE_VALUES(store_int(now)), e) != 0) {
        return -1;
    }
    *overdue = (int)store_changes(db);
    /* The last entry stays: the next one chains it. */
    if (store_exec(db,
                   "DELETE FROM queue WHERE answered = 1 AND enrolment IN "
                   "(SELECT id FROM enrolment WHERE until < ? AND state NOT IN (0, 3)) "
                   "AND sequence < (SELECT max(sequence) FROM queue)",
                   STORE_VALUES(store_int(now)), e) != 0 ||
        store_exec(db,
                   "DELETE FROM enrolment WHERE until < ? AND state NOT IN (0, 3) AND NOT EXISTS "
                   "(SELECT 1 FROM queue WHERE queue.enrolment = enrolment.id)",
                   STORE_VALUES(store_int(now)), e) != 0) {
        return -1;
    }
    return requests_certificates_expire(db, now, e) != 0
               ? -1
               : store_exec(db, "DELETE FROM seen WHERE until < ?", STORE_VALUES(store_int(now)),
                            e);
}
