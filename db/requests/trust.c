/* SPDX-License-Identifier: Apache-2.0 */
#include "db/requests/trust.h"

int
requests_trust(struct store_db *db, const struct sealed_table *table, struct store_value key,
               struct err *e)
{
    bool found;

    return sealed_row(db, table, &key, 1, &found, e);
}

int
requests_trust_change(struct store_db *db, const struct sealed_table *table, struct store_value key,
                      struct err *e)
{
    return sealed_change(db, table, &key, 1, e);
}

int
requests_trust_changes(struct store_db *db, const struct sealed_table *table, const char *sql,
                       const struct store_value *values, size_t n, struct err *e)
{
    CLEANUP(store_end) struct store_rows rows = {0};
    bool row = true;

    if (store_query(db, &rows, sql, values, n, e) != 0) {
        return -1;
    }
    while (store_next(&rows, &row, e) == 0) {
        if (!row) {
            return 0;
        }
        if (requests_trust_change(db, table, row_value(&rows, 0), e) != 0) {
            return -1;
        }
    }
    return -1;
}

int
requests_trust_nf(struct store_db *db, const char *nf_instance, struct err *e)
{
    return sealed_owner(db, REQUESTS_OWNER_NF, store_text(nf_instance), e);
}

int
requests_trust_registered(struct store_db *db, const char *registration, struct err *e)
{
    CLEANUP(store_end) struct store_rows rows = {0};
    char nf_instance[REQUESTS_NF_SIZE];
    bool row;

    if (requests_trust(db, &requests_table_registration, store_text(registration), e) != 0 ||
        store_query(db, &rows, "SELECT nf_instance FROM registration WHERE id = ?1",
                    STORE_VALUES(store_text(registration)), e) != 0 ||
        store_next(&rows, &row, e) != 0) {
        return -1;
    }
    if (!row) {
        return 0;
    }
    row_copy_text(&rows, 0, nf_instance, sizeof(nf_instance));
    store_end(&rows);
    return requests_trust_nf(db, nf_instance, e);
}

/* ---- what is pinned ---- */

static int
trust_pin(struct store_db *db, struct store_value pin, struct err *e)
{
    return pin.bytes.n == 0 ? 0 : sealed_owner(db, REQUESTS_OWNER_PIN, pin, e);
}

static struct span
subject_pin(const char *subject)
{
    const struct span all = subject == NULL ? span_of(NULL, 0) : span_str(subject);

    return span_of(all.p, all.n > REQUESTS_PIN_SUBJECT_MAX ? REQUESTS_PIN_SUBJECT_MAX : all.n);
}

int
requests_trust_pinned(struct store_db *db, const struct requests_signer *signer, struct err *e)
{
    CLEANUP(store_end) struct store_rows rows = {0};
    bool row = true;

    if (sealed_state(db) != SEALED_ON) {
        return 0;
    }
    if (trust_pin(db, store_blob(signer->fingerprint), e) != 0 ||
        trust_pin(db, store_blob(signer->public_key), e) != 0 ||
        trust_pin(db, store_blob(subject_pin(signer->subject)), e) != 0 ||
        store_query(db, &rows,
                    "SELECT id FROM registration WHERE fingerprint = ?1 OR public_key = ?2 OR "
                    "(issuer = ?3 AND subject = ?4)",
                    STORE_VALUES(store_blob(signer->fingerprint), store_blob(signer->public_key),
                                 store_text(signer->issuer), store_text(signer->subject)),
                    e) != 0) {
        return -1;
    }
    while (store_next(&rows, &row, e) == 0) {
        if (!row) {
            return 0;
        }
        if (requests_trust_registered(db, row_text(&rows, 0), e) != 0) {
            return -1;
        }
    }
    return -1;
}

/* ---- a transaction ---- */

/* "": it has none, for there is no such enrolment. */
static int
registration_of(struct store_db *db, int64_t enrolment, char id[REQUESTS_ID_SIZE], struct err *e)
{
    CLEANUP(store_end) struct store_rows rows = {0};
    bool row;

    id[0] = '\0';
    if (requests_trust(db, &requests_table_enrolment, store_int(enrolment), e) != 0 ||
        store_query(db, &rows, "SELECT registration FROM enrolment WHERE id = ?1",
                    STORE_VALUES(store_int(enrolment)), e) != 0 ||
        store_next(&rows, &row, e) != 0) {
        return -1;
    }
    if (row) {
        row_copy_text(&rows, 0, id, REQUESTS_ID_SIZE);
    }
    return 0;
}

int
requests_trust_enrolment(struct store_db *db, int64_t id, struct err *e)
{
    char registration[REQUESTS_ID_SIZE];

    return registration_of(db, id, registration, e) != 0
               ? -1
               : requests_trust(db, &requests_table_registration, store_text(registration), e);
}

int
requests_trust_owner_of(struct store_db *db, int64_t enrolment, struct err *e)
{
    char registration[REQUESTS_ID_SIZE];

    return registration_of(db, enrolment, registration, e) != 0
               ? -1
               : requests_trust_registered(db, registration, e);
}

/* *there is false when there is no such entry. */
static int
enrolment_of(struct store_db *db, struct span rid, int64_t *id, bool *there, struct err *e)
{
    CLEANUP(store_end) struct store_rows rows = {0};

    if (requests_trust(db, &requests_table_queue, store_blob(rid), e) != 0 ||
        store_query(db, &rows, "SELECT enrolment FROM queue WHERE rid = ?1",
                    STORE_VALUES(store_blob(rid)), e) != 0 ||
        store_next(&rows, there, e) != 0) {
        return -1;
    }
    *id = *there ? row_int(&rows, 0) : 0;
    return 0;
}

int
requests_trust_entry(struct store_db *db, struct span rid, struct err *e)
{
    int64_t id;
    bool there;

    if (enrolment_of(db, rid, &id, &there, e) != 0) {
        return -1;
    }
    return there ? requests_trust_enrolment(db, id, e) : 0;
}

int
requests_trust_give_back(struct store_db *db, struct span rid, struct err *e)
{
    return requests_trust_changes(
        db, &requests_table_registration,
        "SELECT registration FROM enrolment WHERE uncounted = 0 AND id = (SELECT enrolment FROM "
        "queue WHERE rid = ?)",
        STORE_VALUES(store_blob(rid)), e);
}

int
requests_trust_change_of(struct store_db *db, struct span rid, struct err *e)
{
    int64_t id;
    bool there;

    if (enrolment_of(db, rid, &id, &there, e) != 0) {
        return -1;
    }
    return there ? requests_trust_change(db, &requests_table_enrolment, store_int(id), e) : 0;
}

int
requests_trust_seen(struct store_db *db, const char *identity, struct span transaction_id,
                    bool *seen, struct err *e)
{
    return sealed_row(db, &requests_table_seen,
                      STORE_VALUES(store_text(identity), store_blob(transaction_id)), seen, e);
}

int
requests_trust_began(struct store_db *db, const char *identity, struct span transaction_id,
                     struct err *e)
{
    CLEANUP(store_end) struct store_rows rows = {0};
    bool seen;
    bool missing;

    if (requests_trust_seen(db, identity, transaction_id, &seen, e) != 0 ||
        store_query(db, &rows,
                    "SELECT enrolment FROM seen WHERE identity = ?1 AND transaction_id = ?2 AND "
                    "enrolment NOT NULL AND NOT EXISTS (SELECT 1 FROM enrolment x WHERE x.id = "
                    "seen.enrolment AND x.identity = ?1 AND x.transaction_id = ?2)",
                    STORE_VALUES(store_text(identity), store_blob(transaction_id)), e) != 0 ||
        store_next(&rows, &missing, e) != 0) {
        return -1;
    }
    return missing
               ? err_set(e, ERR_STALE, "ra.db: enrolment %lld: deleted, or edited; see nfpki-ra(8)",
                         (long long)row_int(&rows, 0))
               : 0;
}

int
requests_trust_change_seen(struct store_db *db, const char *identity, struct span transaction_id,
                           struct err *e)
{
    return sealed_change(db, &requests_table_seen,
                         STORE_VALUES(store_text(identity), store_blob(transaction_id)), e);
}
