/* SPDX-License-Identifier: Apache-2.0 */
/* What the CA says about an entry of the queue. The entry and its enrolment are read once
 * (requests_asked_find), what follows is decided by that, and each is written once. */
#include <stdio.h>

#include "base/ossl.h"
#include "db/requests/rows.h"

enum { REQUESTS_BODY_KUR = 7 /* enum cmp_body, RFC 9810 5.1.2 */, TARGET_MAX = 64 };

void
requests_asked_clear(struct requests_asked *asked)
{
    requests_enrolment_clear(&asked->enrolment);
    buf_free(&asked->target);
    *asked = (struct requests_asked){0};
}

/* What is behind the columns of the enrolment. */
static int
asked_read(const struct store_rows *rows, int column, struct requests_asked *out, struct err *e)
{
    out->sequence = row_int(rows, column);
    out->answered = row_is_null(rows, column);
    out->uncounted = row_int(rows, column + 1) != 0;
    out->shares = !row_is_null(rows, column + 2);
    row_copy_text(rows, column + 3, out->identity, sizeof(out->identity));
    return row_copy_blob(rows, column + 4, TARGET_MAX, &out->target, e);
}

#define FIND                                                                                       \
    "SELECT " REQUESTS_ENROLMENT_COLUMNS                                                           \
    ", (SELECT sequence FROM queue WHERE rid = ?1), uncounted, sibling, identity, "                \
    "target" REQUESTS_ENROLMENT_FROM

int
requests_asked_find(struct store_db *db, struct span rid, int64_t enrolment,
                    struct requests_asked *out, struct err *e)
{
    CLEANUP(store_end) struct store_rows rows = {0};
    const struct store_value known = store_int(enrolment);

    requests_asked_clear(out);
    if ((enrolment != 0
             ? store_query_one(db, &rows, FIND "WHERE id = ?2 AND ?1 IN (rid, confirmation)",
                               STORE_VALUES(store_blob(rid), known), e)
             : store_query_one(db, &rows,
                               FIND "WHERE id = (SELECT enrolment FROM queue WHERE rid = ?1)",
                               STORE_VALUES(store_blob(rid)), e)) != 0) {
        return err_wrap(e, "answer to what was not asked");
    }
    return requests_enrolment_read(&rows, &out->enrolment, e) != 0
               ? -1
               : asked_read(&rows, REQUESTS_ENROLMENT_N, out, e);
}

/* Whatever was asked is answered now: nobody is sent it again. */
static int
mark_answered(struct store_db *db, struct requests_asked *asked, struct err *e)
{
    if (asked->answered) {
        return 0;
    }
    asked->answered = true;
    return store_exec(db, "DELETE FROM queue WHERE sequence = ?",
                      STORE_VALUES(store_int(asked->sequence)), e) != 0
               ? -1
               : requests_leave_head(db, asked->sequence, e);
}

static int
set_state(struct store_db *db, struct requests_asked *asked, enum requests_state state,
          struct err *e)
{
    asked->enrolment.state = state;
    return store_exec(db, "UPDATE enrolment SET state = ?2 WHERE id = ?1",
                      STORE_VALUES(store_int(asked->enrolment.id), store_int((int64_t)state)), e);
}

int
requests_done(struct store_db *db, struct requests_asked *asked, struct err *e)
{
    if (mark_answered(db, asked, e) != 0) {
        return -1;
    }
    return asked->enrolment.state == REQUESTS_QUEUED ? set_state(db, asked, REQUESTS_ANSWERED, e)
                                                     : 0;
}

int
requests_revoked(struct store_db *db, struct requests_asked *asked, struct err *e)
{
    return requests_done(db, asked, e) != 0
               ? -1
               : store_exec(db, "UPDATE certificate SET revoked = 1 WHERE serial = ?",
                            STORE_VALUES(store_blob(buf_span(&asked->target))), e);
}

/* ---- one certificate for several transactions: an answer got lost, and the client began anew ----
 *
 * The certificate has the transaction that came last, and each its `sibling`, 0 at the end. */

static int
last_of(struct store_db *db, struct store_value fingerprint, int64_t *id, struct err *e)
{
    CLEANUP(store_end) struct store_rows rows = {0};
    bool row;

    if (store_query(db, &rows, "SELECT enrolment FROM certificate WHERE fingerprint = ?",
                    STORE_VALUES(fingerprint), e) != 0 ||
        store_next(&rows, &row, e) != 0) {
        return -1;
    }
    *id = row ? row_int(&rows, 0) : 0;
    return 0;
}

static int
join_others(struct store_db *db, const struct requests_asked *asked, struct store_value fingerprint,
            struct err *e)
{
    const struct store_value id = store_int(asked->enrolment.id);
    int64_t last;

    if (last_of(db, fingerprint, &last, e) != 0) {
        return -1;
    }
    if (asked->shares || last == asked->enrolment.id) {
        return 0; /* the same answer again */
    }
    return store_exec(db, "UPDATE enrolment SET sibling = 0 WHERE id = ? AND sibling IS NULL",
                      STORE_VALUES(store_int(last)), e) != 0 ||
                   store_exec(db, "UPDATE enrolment SET sibling = ?2 WHERE id = ?1",
                              STORE_VALUES(id, store_int(last)), e) != 0
               ? -1
               : store_exec(db, "UPDATE certificate SET enrolment = ?1 WHERE fingerprint = ?2",
                            STORE_VALUES(id, fingerprint), e);
}

/* *id becomes the next one; 0: there is none, or it is forgotten, as those before it. */
static int
end_one(struct store_db *db, const struct requests_asked *asked, int64_t *id, struct err *e)
{
    CLEANUP(store_end) struct store_rows rows = {0};
    const struct requests_enrolment *x = &asked->enrolment;
    const struct store_value one = store_int(*id);
    bool row;

    if (store_exec(db,
                   "UPDATE enrolment SET state = ?2, accepted = ?3, confirm_by = NULL WHERE id = "
                   "?1 AND identity = ?4 AND state IN (2, 6) AND EXISTS (SELECT 1 FROM issued "
                   "WHERE enrolment = ?1 AND certificate = ?5)",
                   STORE_VALUES(one, store_int((int64_t)x->state), store_int(x->accepted),
                                store_text(asked->identity), store_blob(buf_span(&x->certificate))),
                   e) != 0 ||
        store_query(db, &rows, "SELECT sibling FROM enrolment WHERE id = ?", STORE_VALUES(one),
                    e) != 0 ||
        store_next(&rows, &row, e) != 0) {
        return -1;
    }
    *id = row ? row_int(&rows, 0) : 0;
    return 0;
}

/* The others are over with this one. */
static int
end_others(struct store_db *db, const struct requests_asked *asked, struct span fingerprint,
           struct err *e)
{
    int64_t id;

    if (last_of(db, store_blob(fingerprint), &id, e) != 0) {
        return -1;
    }
    while (id != 0) {
        if (end_one(db, asked, &id, e) != 0) {
            return -1;
        }
    }
    return 0;
}

/* ---- a certificate ---- */

/* The same again? */
static int
check_issued(const struct requests_asked *asked, struct span certificate, struct err *e)
{
    const struct requests_enrolment *x = &asked->enrolment;

    if (x->certificate.n == 0 && x->state == REQUESTS_REJECTED) {
        return 0; /* cancelled meanwhile: nobody gets it */
    }
    return span_equal(buf_span(&x->certificate), certificate)
               ? 0
               : err_set(e, ERR_CONFLICT, "the CA gave two certificates for one request");
}

static int
deliver(struct store_db *db, const struct requests_asked *asked,
        const struct requests_certificate *c, struct err *e)
{
    const struct requests_enrolment *x = &asked->enrolment;
    const struct store_value id = store_blob(span_of(c->fingerprint, sizeof(c->fingerprint)));

    if (store_exec(db,
                   "INSERT OR IGNORE INTO certificate (fingerprint, serial, registration, profile, "
                   "not_after, enrolment) VALUES (?, ?, ?, ?, ?, ?)",
                   STORE_VALUES(id, store_blob(span_of(c->serial, c->serial_size)),
                                store_text(x->registration), store_text(x->profile),
                                store_int(c->not_after), store_int(x->id)),
                   e) != 0) {
        return -1;
    }
    return store_changes(db) == 1 ? 0 : join_others(db, asked, id, e);
}

/* Who waits for it has it next. */
static int
deliver_now(struct store_db *db, struct requests_asked *asked, struct err *e)
{
    struct requests_enrolment *x = &asked->enrolment;

    x->state = x->implicit ? REQUESTS_CONFIRMED : REQUESTS_SENT;
    return store_exec(db, "UPDATE enrolment SET state = ?2, confirm_by = ?3 WHERE id = ?1",
                      STORE_VALUES(store_int(x->id), store_int((int64_t)x->state),
                                   x->implicit ? store_null() : store_int(asked->confirm_by)),
                      e);
}

static int
keep_certificate(struct store_db *db, struct requests_asked *asked, struct span certificate,
                 struct err *e)
{
    struct requests_enrolment *x = &asked->enrolment;

    if (mark_answered(db, asked, e) != 0) {
        return -1;
    }
    if (x->state != REQUESTS_QUEUED) {
        return 0;
    }
    x->certificate = BUF_INIT(certificate.n);
    if (buf_set(&x->certificate, certificate, e) != 0 ||
        store_exec(db, "INSERT INTO issued (enrolment, certificate) VALUES (?, ?)",
                   STORE_VALUES(store_int(x->id), store_blob(certificate)), e) != 0) {
        return -1;
    }
    return asked->confirm_by > 0 ? deliver_now(db, asked, e)
                                 : set_state(db, asked, REQUESTS_ANSWERED, e);
}

int
requests_issued(struct store_db *db, struct requests_asked *asked, struct span certificate,
                const struct requests_certificate *c, struct err *e)
{
    const int result = asked->answered ? check_issued(asked, certificate, e)
                                       : keep_certificate(db, asked, certificate, e);

    return result != 0 ? -1 : deliver(db, asked, c, e);
}

/* ---- a confirmation ---- */

/* By a confirmation: the certificate that was rejected, or the one that a kur updated. */
static int
note_revoked(struct store_db *db, const struct requests_asked *asked, struct span fingerprint,
             struct err *e)
{
    const struct requests_enrolment *x = &asked->enrolment;

    return !x->accepted                   ? requests_certificate_revoked(db, fingerprint, e)
           : x->body == REQUESTS_BODY_KUR ? requests_signer_revoked(db, asked, e)
                                          : 0;
}

int
requests_confirmed(struct store_db *db, struct requests_asked *asked, struct err *e)
{
    struct requests_enrolment *x = &asked->enrolment;
    uint8_t octets[SHA256_SIZE] = {0};
    const struct span fingerprint = span_of(octets, sizeof(octets));

    if (mark_answered(db, asked, e) != 0) {
        return -1;
    }
    if (x->state != REQUESTS_CONFIRMING) {
        return 0;
    }
    if (sha256(buf_span(&x->certificate), octets, e) != 0 ||
        note_revoked(db, asked, fingerprint, e) != 0 ||
        set_state(db, asked, x->accepted ? REQUESTS_CONFIRMED : REQUESTS_REJECTED, e) != 0) {
        return -1;
    }
    return asked->shares ? end_others(db, asked, fingerprint, e) : 0;
}

/* ---- not yet, and no ---- */

int
requests_waiting(struct store_db *db, struct requests_asked *asked,
                 const struct requests_wait *wait, struct err *e)
{
    struct requests_enrolment *x = &asked->enrolment;

    if (asked->answered) {
        return err_set(e, ERR_NOTFOUND, "nothing waits for this answer");
    }
    if (store_exec(db, "UPDATE queue SET again_at = ?2 WHERE sequence = ?1",
                   STORE_VALUES(store_int(asked->sequence), store_int(wait->again_at)), e) != 0) {
        return -1;
    }
    if (x->state != REQUESTS_QUEUED) {
        return 0;
    }
    x->check_after = wait->check_after;
    (void)snprintf(x->phrase, sizeof(x->phrase), "%s", wait->phrase);
    return store_exec(db,
                      "UPDATE enrolment SET check_after = ?2, phrase = ?3, until = max(until, ?4) "
                      "WHERE id = ?1",
                      STORE_VALUES(store_int(x->id), store_int(wait->check_after),
                                   store_text(wait->phrase), store_int(wait->until)),
                      e);
}

static int
give_back(struct store_db *db, const struct requests_asked *asked, struct err *e)
{
    return store_exec(db, "UPDATE registration SET used = used - 1 WHERE used > 0 AND id = ?",
                      STORE_VALUES(store_text(asked->enrolment.registration)), e);
}

int
requests_refused(struct store_db *db, struct requests_asked *asked, int fail_info,
                 const char *phrase, struct err *e)
{
    struct requests_enrolment *x = &asked->enrolment;

    if (asked->answered) {
        return 0;
    }
    if (mark_answered(db, asked, e) != 0 ||
        (x->state == REQUESTS_QUEUED && !asked->uncounted && give_back(db, asked, e) != 0)) {
        return -1;
    }
    if (x->state != REQUESTS_QUEUED && x->state != REQUESTS_CONFIRMING) {
        return 0;
    }
    x->state = REQUESTS_REJECTED;
    x->fail_info = fail_info;
    (void)snprintf(x->phrase, sizeof(x->phrase), "%s", phrase);
    return store_exec(db,
                      "UPDATE enrolment SET state = 5, fail_info = ?2, phrase = ?3 WHERE id = ?1",
                      STORE_VALUES(store_int(x->id), store_int(fail_info), store_text(phrase)), e);
}
