/* SPDX-License-Identifier: Apache-2.0 */
/* What the CA says about an entry of the queue. */
#include "base/ossl.h"
#include "db/requests/rows.h"

enum { REQUESTS_BODY_KUR = 7 /* enum cmp_body, RFC 9810 5.1.2 */ };

int
requests_issued(struct store_db *db, struct span rid, struct span certificate, struct err *e)
{
    CLEANUP(store_end) struct store_rows rows = {0};
    bool first = false;

    if (requests_mark_answered(db, rid, &first, e) != 0) {
        return -1;
    }
    if (first) {
        return store_exec(db,
                          "UPDATE enrolment SET state = 1, certificate = ?1 WHERE state = 0 AND "
                          "id = (SELECT enrolment FROM queue WHERE rid = ?2)",
                          STORE_VALUES(store_blob(certificate), store_blob(rid)), e);
    }
    if (store_query_one(db, &rows, "SELECT certificate, state FROM enrolment" REQUESTS_OF_RID,
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

/* An earlier transaction that the same certificate was the answer to, which got lost, is over too.
 */
static int
end_earlier(struct store_db *db, struct span rid, struct err *e)
{
    return store_exec(db,
                      "UPDATE enrolment SET state = x.state, accepted = x.accepted, "
                      "confirm_by = NULL FROM (SELECT id, identity, certificate, state, accepted "
                      "FROM enrolment" REQUESTS_OF_RID
                      ") AS x WHERE enrolment.identity = x.identity "
                      "AND enrolment.certificate = x.certificate AND enrolment.id <> x.id "
                      "AND enrolment.state IN (2, 6) AND x.state IN (4, 5)",
                      STORE_VALUES(store_blob(rid)), e);
}

int
requests_confirmed(struct store_db *db, struct span rid, struct err *e)
{
    bool first = false;

    if (requests_mark_answered(db, rid, &first, e) != 0 || note_revoked(db, rid, e) != 0) {
        return -1;
    }
    if (store_exec(db,
                   "UPDATE enrolment SET state = CASE accepted WHEN 1 THEN 4 ELSE 5 END "
                   "WHERE state = 3 AND id = (SELECT enrolment FROM queue WHERE rid = ?)",
                   STORE_VALUES(store_blob(rid)), e) != 0) {
        return -1;
    }
    return end_earlier(db, rid, e);
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

    if (requests_mark_answered(db, rid, &first, e) != 0) {
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
