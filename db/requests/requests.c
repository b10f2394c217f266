/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Each state change names the states that it may leave in its WHERE clause, so a verb that comes
 * late or twice changes nothing, and store_changes() tells.
 */
#include "db/requests/requests.h"

#include <string.h>

#include "db/requests/rows.h"

enum {
    CERTIFICATE_MAX = 16 * 1024,
    MESSAGE_MAX = 64 * 1024, /* nothing in a message is longer */
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

/* ---- enrolments ---- */

int
requests_is_seen(struct store_db *db, const char *identity, struct span transaction_id, bool *seen,
                 struct err *e)
{
    return store_has_row(db, "SELECT 1 FROM seen WHERE transaction_id = ?2 AND identity = ?1",
                         STORE_VALUES(store_text(identity), store_blob(transaction_id)), seen, e);
}

static int
remember(struct store_db *db, const char *identity, struct span transaction_id, int64_t until,
         struct store_value enrolment, struct err *e)
{
    if (store_exec(db,
                   "INSERT INTO seen (identity, transaction_id, until, enrolment) "
                   "VALUES (?, ?, ?, ?)",
                   STORE_VALUES(store_text(identity), store_blob(transaction_id), store_int(until),
                                enrolment),
                   e) != 0) {
        return e->code == ERR_CONFLICT
                   ? err_set(e, ERR_CONFLICT, "this transactionID was used before")
                   : -1;
    }
    return 0;
}

int
requests_remember(struct store_db *db, const char *identity, struct span transaction_id,
                  int64_t until, struct err *e)
{
    return remember(db, identity, transaction_id, until, store_null(), e);
}

int
requests_forget(struct store_db *db, const char *identity, struct span transaction_id,
                struct err *e)
{
    return store_exec(db, "DELETE FROM seen WHERE transaction_id = ?2 AND identity = ?1",
                      STORE_VALUES(store_text(identity), store_blob(transaction_id)), e);
}

/* Of a row that is about to be inserted: its replay entry names it. */
static int
next_id(struct store_db *db, int64_t *id, struct err *e)
{
    CLEANUP(store_end) struct store_rows rows = {0};

    if (store_query_one(db, &rows, "SELECT coalesce(max(id), 0) + 1 FROM enrolment",
                        STORE_NO_VALUES, e) != 0) {
        return -1;
    }
    *id = row_int(&rows, 0);
    return 0;
}

/* The replay entry, which says that there is an enrolment. */
static int
begin_transaction(struct store_db *db, const struct requests_admission *a, int64_t *enrolment,
                  struct err *e)
{
    int64_t id;

    if (next_id(db, &id, e) != 0 ||
        remember(db, a->identity, a->transaction_id, a->until, store_int(id), e) != 0) {
        return -1;
    }
    *enrolment = id;
    return 0;
}

/* Did its network function reject a certificate of this registration? */
static int
was_rejected(struct store_db *db, const char *registration, bool *rejected, struct err *e)
{
    return store_has_row(
        db,
        "SELECT 1 FROM registration g JOIN enrolment x ON x.registration = g.id "
        "WHERE g.id = ? AND g.cancelled = 0 AND x.accepted = 0 AND x.state = 5 LIMIT 1",
        STORE_VALUES(store_text(registration)), rejected, e);
}

static int
use_one(struct store_db *db, const struct requests_admission *a, bool *taken, struct err *e)
{
    const struct store_value id = store_text(a->registration);

    if (a->uncounted) {
        return store_has_row(db, "SELECT 1 FROM registration WHERE id = ? AND cancelled = 0",
                             STORE_VALUES(id), taken, e);
    }
    if (store_exec(db,
                   "UPDATE registration SET used = used + 1 "
                   "WHERE id = ? AND cancelled = 0 AND used < certificates",
                   STORE_VALUES(id), e) != 0) {
        return -1;
    }
    *taken = store_changes(db) == 1;
    return 0;
}

/* Takes one of the registered certificates, when there is one left. What was rejected may be tried
 * again, or may not: that is the CA's to say, and it says why. */
static int
take_use(struct store_db *db, const struct requests_admission *a, bool *uncounted, struct err *e)
{
    bool rejected;
    bool taken;

    *uncounted = a->uncounted;
    if (use_one(db, a, &taken, e) != 0) {
        return -1;
    }
    if (taken) {
        return 0;
    }
    if (was_rejected(db, a->registration, &rejected, e) != 0) {
        return -1;
    }
    *uncounted = true;
    return rejected
               ? 0
               : err_set(e, ERR_DENIED, "registration %s is cancelled or used up", a->registration);
}

int
requests_admit(struct store_db *db, const struct requests_admission *a, int64_t *enrolment,
               uint64_t *sequence, struct err *e)
{
    const struct requests_item item = {.rid = a->rid, .message = a->message, .entry = a->entry};
    bool uncounted;

    if (begin_transaction(db, a, enrolment, e) != 0) {
        return -1;
    }
    if (take_use(db, a, &uncounted, e) != 0) {
        return -1;
    }
    if (store_exec(
            db,
            "INSERT INTO enrolment (id, identity, transaction_id, registration, profile, "
            "body, cert_req_id, implicit, uncounted, state, until, target, asked, rid, "
            "nonce) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 0, ?, ?, ?, ?, ?)",
            STORE_VALUES(store_int(*enrolment), store_text(a->identity),
                         store_blob(a->transaction_id), store_text(a->registration),
                         store_text(a->profile), store_int(a->body), store_int(a->cert_req_id),
                         store_int(a->implicit), store_int(uncounted), store_int(a->until),
                         a->target.n > 0 ? store_blob(a->target) : store_null(),
                         a->asked.n > 0 ? store_blob(a->asked) : store_null(), store_blob(a->rid),
                         a->nonce.n > 0 ? store_blob(a->nonce) : store_null()),
            e) != 0) {
        return -1;
    }
    return requests_enqueue(db, *enrolment, &item, sequence, e);
}

int
requests_ask(struct store_db *db, const struct requests_admission *a, struct span question,
             int64_t *enrolment, struct err *e)
{
    if (begin_transaction(db, a, enrolment, e) != 0) {
        return -1;
    }
    return store_exec(
        db,
        "INSERT INTO enrolment (id, identity, transaction_id, registration, profile, body, "
        "cert_req_id, implicit, uncounted, state, until, question) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, 1, 1, 1, ?, ?)",
        STORE_VALUES(store_int(*enrolment), store_text(a->identity), store_blob(a->transaction_id),
                     store_text(a->registration), store_text(a->profile), store_int(a->body),
                     store_int(a->cert_req_id), store_int(a->until), store_blob(question)),
        e);
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

int
requests_enrolment_read(const struct store_rows *rows, struct requests_enrolment *out,
                        struct err *e)
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

/* `sql` gives the columns of at most one. */
static int
enrolment_find(struct store_db *db, const char *sql, const struct store_value *values, size_t n,
               struct requests_enrolment *out, bool *found, struct err *e)
{
    CLEANUP(store_end) struct store_rows rows = {0};

    *found = false;
    if (store_query(db, &rows, sql, values, n, e) != 0 || store_next(&rows, found, e) != 0) {
        return -1;
    }
    return *found ? requests_enrolment_read(&rows, out, e) : 0;
}

#define FIND "SELECT " REQUESTS_ENROLMENT_COLUMNS REQUESTS_ENROLMENT_FROM
/* Its replay entry says which it is. */
#define BEGAN "(SELECT enrolment FROM seen WHERE transaction_id = ?2 AND identity = ?1)"

int
requests_enrolment_find(struct store_db *db, const char *identity, struct span transaction_id,
                        struct requests_enrolment *out, enum requests_owner *owner, struct err *e)
{
    CLEANUP(store_end) struct store_rows rows = {0};
    CLEANUP(mem_cleanup)
    char *kind = mem_printf("%.*s:", (int)strcspn(identity, ":"), identity);
    bool found;

    *owner = REQUESTS_NOBODY;
    if (enrolment_find(db, FIND "WHERE id = " BEGAN,
                       STORE_VALUES(store_text(identity), store_blob(transaction_id)), out, &found,
                       e) != 0) {
        return -1;
    }
    if (found) {
        *owner = REQUESTS_SELF;
        return 0;
    }
    if (store_query(db, &rows,
                    "SELECT substr(identity, 1, length(?1)) = ?1 FROM seen WHERE transaction_id = "
                    "?2 AND enrolment NOT NULL ORDER BY 1 DESC LIMIT 1",
                    STORE_VALUES(store_text(kind), store_blob(transaction_id)), e) != 0 ||
        store_next(&rows, &found, e) != 0) {
        return -1;
    }
    if (found) {
        *owner = row_int(&rows, 0) != 0 ? REQUESTS_SAME_KIND : REQUESTS_ANOTHER_KIND;
    }
    return 0;
}

int
requests_enrolment_unanswered(struct store_db *db, const struct requests_admission *a,
                              struct span question, struct requests_enrolment *out, bool *found,
                              struct err *e)
{
    return enrolment_find(
        db, FIND "WHERE id = " BEGAN " AND nonce IS NULL AND (question = ?3 OR rid = ?4)",
        STORE_VALUES(store_text(a->identity), store_blob(a->transaction_id),
                     question.n > 0 ? store_blob(question) : store_null(), store_blob(a->rid)),
        out, found, e);
}

int
requests_queued(struct store_db *db, int64_t enrolment, struct span rid, bool *queued,
                struct err *e)
{
    return store_has_row(db, "SELECT 1 FROM enrolment WHERE id = ?2 AND ?1 IN (rid, confirmation)",
                         STORE_VALUES(store_blob(rid), store_int(enrolment)), queued, e);
}

int
requests_admit_confirmation(struct store_db *db, int64_t enrolment, bool accepted,
                            const struct requests_item *item, uint64_t *sequence, struct err *e)
{
    if (store_exec(
            db,
            "UPDATE enrolment SET state = 3, accepted = ?1, confirm_by = NULL, "
            "confirmation = ?2, nonce_before = iif(?4 IS NULL, nonce_before, nonce), nonce = "
            "coalesce(?4, nonce) WHERE id = ?3 AND state IN (2, 6)",
            STORE_VALUES(store_int(accepted), store_blob(item->rid), store_int(enrolment),
                         item->nonce.n > 0 ? store_blob(item->nonce) : store_null()),
            e) != 0) {
        return -1;
    }
    if (store_changes(db) != 1) {
        return err_set(e, ERR_CONFLICT, "nothing to confirm");
    }
    return requests_enqueue(db, enrolment, item, sequence, e);
}

int
requests_close(struct store_db *db, int64_t enrolment, struct err *e)
{
    return store_exec(db,
                      "UPDATE enrolment SET state = 5, accepted = 0, confirm_by = NULL "
                      "WHERE id = ? AND state IN (0, 1, 2, 6)",
                      STORE_VALUES(store_int(enrolment)), e);
}

/* The same one again is no other. */
#define NONCES "nonce_before = iif(nonce IS ?1, nonce_before, nonce), nonce = ?1"

int
requests_sent(struct store_db *db, int64_t enrolment, struct span nonce, bool delivers,
              int64_t confirm_by, struct err *e)
{
    if (store_exec(db,
                   delivers ? "UPDATE enrolment SET " NONCES
                              ", state = CASE WHEN state <> 1 THEN state WHEN implicit THEN 4 ELSE "
                              "2 END, confirm_by = CASE WHEN state <> 1 THEN confirm_by WHEN "
                              "implicit THEN NULL ELSE ?3 END WHERE id = ?2 AND identity <> ''"
                            : "UPDATE enrolment SET " NONCES
                              " WHERE id = ?2 AND identity <> '' AND ?3 NOT NULL",
                   STORE_VALUES(store_blob(nonce), store_int(enrolment), store_int(confirm_by)),
                   e) != 0) {
        return -1;
    }
    return store_changes(db) == 1 ? 0
                                  : err_set(e, ERR_NOTFOUND, "the request was withdrawn meanwhile");
}
