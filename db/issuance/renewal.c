/* SPDX-License-Identifier: Apache-2.0 */
#include "db/issuance/renewal.h"

#include <string.h>

#include "db/issuance/rows.h"

int
issuance_former_find(struct store_db *db, struct span serial, struct issuance_former *out,
                     bool *found, struct err *e)
{
    CLEANUP(store_end) struct store_rows rows = {0};

    memset(out, 0, sizeof(*out));
    if (store_query(db, &rows,
                    "SELECT q.rid, q.serial, q.state, q.confirm, q.is_update, "
                    "c.revoked IS NOT NULL, q.registration, q.created, "
                    "coalesce((SELECT max(message_time) FROM again a WHERE a.request = q.rid), "
                    "q.message_time, 0) FROM request q LEFT JOIN " ISSUANCE_CERTIFICATE
                    "WHERE q.renews = ?1 AND q.state IN (0, 1, 3)",
                    STORE_VALUES(store_blob(serial)), e) != 0 ||
        store_next(&rows, found, e) != 0) {
        return -1;
    }
    if (!*found) {
        return 0;
    }
    if (row_copy_octets(&rows, 0, out->rid, sizeof(out->rid), e) != 0 ||
        row_copy_octets(&rows, 1, out->serial, sizeof(out->serial), e) != 0) {
        return -1;
    }
    out->state = (enum issuance_state)row_int(&rows, 2);
    out->confirm = (enum issuance_confirm)row_int(&rows, 3);
    out->is_update = row_int(&rows, 4) != 0;
    out->revoked = row_int(&rows, 5) != 0;
    row_copy_text(&rows, 6, out->registration, sizeof(out->registration));
    out->created = (time_t)row_int(&rows, 7);
    out->message_time = (time_t)row_int(&rows, 8);
    return 0;
}

int
issuance_renewal_waits(struct store_db *db, const char *registration, time_t now, time_t *until,
                       struct err *e)
{
    CLEANUP(store_end) struct store_rows rows = {0};
    bool row;

    *until = 0;
    /* The last one that uses the quota up. */
    if (store_query(db, &rows,
                    "SELECT v.revoked FROM request q JOIN revocation v ON v.serial = q.serial "
                    "WHERE q.registration = ?1 AND q.state = 4 AND q.renews IS NOT NULL "
                    "ORDER BY q.leaf DESC LIMIT 1 OFFSET ?2",
                    STORE_VALUES(store_text(registration), store_int(ISSUANCE_UNWANTED_MAX - 1)),
                    e) != 0 ||
        store_next(&rows, &row, e) != 0) {
        return -1;
    }
    if (row && (time_t)row_int(&rows, 0) + ISSUANCE_UNWANTED_S > now) {
        *until = (time_t)row_int(&rows, 0) + ISSUANCE_UNWANTED_S;
    }
    return 0;
}

/* ---- the next request ---- */

/* Its network function has it: confirmed, or confirmed by what it asked for, or kept by policy. */
static bool
is_taken(const struct issuance_former *f, const struct issuance_intent *i)
{
    return f->state == ISSUANCE_CONFIRMED || f->confirm == ISSUANCE_IMPLICIT ||
           (f->confirm == ISSUANCE_EXPECTED && f->created < i->kept_before);
}

static int
is_for_key(struct store_db *db, const struct issuance_former *f, struct span spki_sha256,
           bool *same, struct err *e)
{
    CLEANUP(issuance_request_free) struct issuance_request q = {0};
    CLEANUP(x509_cleanup) X509 *certificate = NULL;
    uint8_t hash[SHA256_SIZE];
    bool found;

    if (issuance_find(db, span_of(f->rid, sizeof(f->rid)), &q, &found, e) != 0) {
        return -1;
    }
    certificate = certificate_parse_keyless(buf_span(&q.certificate), e);
    if (certificate == NULL || certificate_key_hash(certificate, hash, e) != 0) {
        return -1;
    }
    *same = span_equal(span_of(hash, sizeof(hash)), spki_sha256);
    return 0;
}

/* Is what was issued an answer to this request, too? */
static int
is_answer(struct store_db *db, const struct issuance_former *f, const struct issuance_intent *i,
          bool *is, struct err *e)
{
    *is = f->is_update && i->is_update && f->confirm == i->confirm && !f->revoked &&
          strcmp(f->registration, i->registration) == 0;
    return *is ? is_for_key(db, f, i->spki_sha256, is, e) : 0;
}

int
issuance_judge_renewal(struct store_db *db, const struct issuance_intent *i,
                       struct issuance_former *f, enum issuance_outcome *outcome, struct err *e)
{
    bool found;
    bool again = false;
    time_t until;

    if (i->renews.n == 0) {
        return 0;
    }
    if (issuance_former_find(db, i->renews, f, &found, e) != 0 ||
        issuance_renewal_waits(db, i->registration, i->now, &until, e) != 0) {
        return -1;
    }
    if (found && f->state == ISSUANCE_INTENT) {
        *outcome = ISSUANCE_SIGNING;
    } else if (found && is_taken(f, i)) {
        *outcome = ISSUANCE_SUCCEEDED;
    } else if (found && (f->message_time == 0 || i->message_time <= f->message_time)) {
        *outcome = ISSUANCE_RENEWED;
    } else if (found && is_answer(db, f, i, &again, e) != 0) {
        return -1;
    } else if (again) {
        *outcome = ISSUANCE_AGAIN;
    } else if (until != 0) {
        *outcome = ISSUANCE_TOO_OFTEN;
    } else if (found) {
        *outcome = ISSUANCE_REPLACED;
    }
    return 0;
}

int
issuance_append_again(struct store_db *db, const struct issuance_intent *i,
                      const struct issuance_former *f, uint64_t *index, struct err *e)
{
    CLEANUP(leaf_cleanup) struct leaf *leaf = leaf_new(LEAF_AGAIN, i->now);
    CLEANUP(buf_free) struct buf evidence = {0};
    struct span rid = span_of(f->rid, sizeof(f->rid));

    leaf_set_hex(leaf, "rid", rid);
    leaf_set_hex(leaf, "serial", span_of(f->serial, sizeof(f->serial)));
    leaf_set_hex(leaf, "again", i->rid);
    leaf_set_text(leaf, "registration", i->registration);
    leaf_set_time(leaf, "messageTime", i->message_time);
    leaf_set_int(leaf, "qseq", (int64_t)i->queue_sequence);
    issuance_name_head(i, leaf);
    if (issuance_append_head(db, i, e) != 0 || ledger_append(db, leaf, index, e) != 0 ||
        packed_make(db, "request", i->evidence, &evidence, e) != 0) {
        return -1;
    }
    return store_exec(
        db,
        "INSERT INTO again(rid, request, registration, transaction_id, cert_req_id, message_time, "
        "evidence, queue_sequence, queue_previous, created, leaf) "
        "VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
        STORE_VALUES(store_blob(i->rid), store_blob(rid), store_text(i->registration),
                     store_blob(i->transaction_id), store_int(i->cert_req_id),
                     store_int(i->message_time), store_blob(buf_span(&evidence)),
                     store_int((int64_t)i->queue_sequence), store_blob(i->queue_previous),
                     store_int(i->now), store_int((int64_t)*index)),
        e);
}

int
issuance_end_unwanted(struct store_db *db, struct span rid, const char *reason, const char *by,
                      struct issuance_when when, struct err *e)
{
    CLEANUP(issuance_request_free) struct issuance_request q = {0};
    time_t not_after;
    uint64_t leaf;
    bool found;

    if (issuance_find(db, rid, &q, &found, e) != 0 ||
        issuance_not_after(db, rid, &not_after, e) != 0 ||
        issuance_append_rejected(db, &q, false, span_of(NULL, 0), reason, when.now, &leaf, e) !=
            0) {
        return -1;
    }
    if (!q.revoked && issuance_revoke_row(db, span_of(q.serial, sizeof(q.serial)), not_after,
                                          ISSUANCE_CESSATION, by, when, &leaf, e) != 0) {
        return -1;
    }
    return issuance_advance(db, rid, ISSUANCE_ISSUED, ISSUANCE_REJECTED, leaf, e);
}
