/* SPDX-License-Identifier: Apache-2.0 */
/* What became of requests, and what officers decided about them. */
#include <string.h>

#include "db/issuance/rebuild/rows.h"

/* ---- CONFIRMED, REFUSAL ---- */

int
rebuild_confirmed(struct store_db *db, const struct leaf *leaf, uint64_t index, struct err *e)
{
    uint8_t rid[ISSUANCE_RID_SIZE];

    return rebuild_rid(leaf, rid, e) != 0 ||
                   rebuild_advance(db, rid, ISSUANCE_ISSUED, ISSUANCE_CONFIRMED, index, "confirmed",
                                   e) != 0
               ? -1
               : rebuild_confirmation(db, rid, true, leaf, index, e);
}

int
rebuild_refusal(const struct rebuild_requests *r, struct store_db *db, const struct leaf *leaf,
                uint64_t index, struct err *e)
{
    uint8_t rid[ISSUANCE_RID_SIZE];

    return rebuild_rid(leaf, rid, e) != 0
               ? -1
               : store_exec(db,
                            "INSERT INTO request(rid, state, registration, profile, evidence, "
                            "queue_sequence, queue_previous, fail_info, phrase, created, leaf) "
                            "SELECT ?1, 2, (SELECT id FROM registration WHERE id = ?2), "
                            "coalesce(p.profile, ''), coalesce(p.evidence, x''), p.queue_sequence, "
                            "p.queue_previous, ?3, ?6, ?4, ?5 "
                            "FROM (SELECT 1) LEFT JOIN pending p ON p.rid = ?1",
                            STORE_VALUES(store_blob(span_of(rid, sizeof(rid))),
                                         store_text(leaf_text(leaf, "registration")),
                                         store_int(leaf_int(leaf, "failInfo", REBUILD_FAILURE)),
                                         store_int(leaf_time(leaf)), store_int((int64_t)index),
                                         store_text(r->phrase)),
                            e);
}

/* ---- AGAIN, APPROVAL ---- */

int
rebuild_again(struct store_db *db, const struct leaf *leaf, uint64_t index, struct err *e)
{
    struct rebuild_octets again;
    struct rebuild_octets head;
    uint8_t rid[ISSUANCE_RID_SIZE];

    if (rebuild_rid(leaf, rid, e) != 0 || rebuild_octets(leaf, "again", &again, e) != 0 ||
        rebuild_octets(leaf, "head", &head, e) != 0) {
        return -1;
    }
    return store_exec(
        db,
        "INSERT INTO again(rid, request, registration, transaction_id, cert_req_id, message_time, "
        "evidence, queue_sequence, queue_previous, created, leaf) "
        "VALUES(?1, ?2, ?3, ?1, 0, ?4, x'', ?5, coalesce(?6, zeroblob(32)), ?7, ?8)",
        STORE_VALUES(rebuild_value(&again), store_blob(span_of(rid, sizeof(rid))),
                     store_text(leaf_text(leaf, "registration")), rebuild_time(leaf, "messageTime"),
                     store_int(leaf_int(leaf, "qseq", 0)), rebuild_value(&head),
                     store_int(leaf_time(leaf)), store_int((int64_t)index)),
        e);
}

int
rebuild_approval(struct store_db *db, const struct leaf *leaf, uint64_t index, struct err *e)
{
    CLEANUP(buf_free) struct buf cms = BUF_INIT(LEAF_MAX);
    struct rebuild_octets officer;
    struct rebuild_octets key;
    uint8_t rid[ISSUANCE_RID_SIZE];

    if (rebuild_rid(leaf, rid, e) != 0 || rebuild_octets(leaf, "officer", &officer, e) != 0 ||
        rebuild_octets(leaf, "key", &key, e) != 0 || rebuild_base64(leaf, "cms", &cms, e) != 0) {
        return -1;
    }
    return store_exec(
        db,
        "INSERT INTO approval(rid, approves, officer, subject, key_sha256, cms, created, leaf) "
        "VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        STORE_VALUES(store_blob(span_of(rid, sizeof(rid))),
                     store_int(strcmp(leaf_text(leaf, "decision"), "approve") == 0 ? 1 : 0),
                     rebuild_value(&officer), store_text(leaf_text(leaf, "subject")),
                     rebuild_value(&key), store_blob(buf_span(&cms)), store_int(leaf_time(leaf)),
                     store_int((int64_t)index)),
        e);
}

/* ---- what is left to the caller ---- */

static int
count(struct store_db *db, const char *sql, int64_t *n, struct err *e)
{
    CLEANUP(store_end) struct store_rows rows = {0};

    if (store_query_one(db, &rows, sql, STORE_NO_VALUES, e) != 0) {
        return -1;
    }
    *n = row_int(&rows, 0);
    return 0;
}

static int
first(struct store_db *db, const char *sql, uint8_t rid[ISSUANCE_RID_SIZE], bool *found,
      struct err *e)
{
    CLEANUP(store_end) struct store_rows rows = {0};

    if (store_query(db, &rows, sql, STORE_NO_VALUES, e) != 0 || store_next(&rows, found, e) != 0) {
        return -1;
    }
    return *found ? row_copy_octets(&rows, 0, rid, ISSUANCE_RID_SIZE, e) : 0;
}

#define LOST_INTENTS " FROM request WHERE state = 0 AND tbs IS NULL"
#define LOST_PENDINGS " FROM pending WHERE open = 1 AND length(evidence) = 0"

int
rebuild_lost_intents(struct store_db *db, int64_t *n, struct err *e)
{
    return count(db, "SELECT count(*)" LOST_INTENTS, n, e);
}

int
rebuild_lost_intent(struct store_db *db, uint8_t rid[ISSUANCE_RID_SIZE], bool *found, struct err *e)
{
    return first(db, "SELECT rid" LOST_INTENTS " ORDER BY leaf LIMIT 1", rid, found, e);
}

int
rebuild_lost_pendings(struct store_db *db, int64_t *n, struct err *e)
{
    return count(db, "SELECT count(*)" LOST_PENDINGS, n, e);
}

int
rebuild_lost_pending(struct store_db *db, uint8_t rid[ISSUANCE_RID_SIZE], bool *found,
                     struct err *e)
{
    return first(db, "SELECT rid" LOST_PENDINGS " ORDER BY leaf LIMIT 1", rid, found, e);
}
