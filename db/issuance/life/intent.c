/* SPDX-License-Identifier: Apache-2.0 */
/*
 * T1: may there be a certificate for this request, and if so, the row and the leaves that say so
 * before it is signed.
 */
#include "db/issuance/rows.h"

static bool
is_go(enum issuance_outcome outcome)
{
    return outcome == ISSUANCE_DONE || outcome == ISSUANCE_REPLACED;
}

/* A key certified to one owner is not certified to another (a cloned key is a stolen identity). */
static int
check_key(struct store_db *db, const struct issuance_intent *i, enum issuance_outcome *outcome,
          struct err *e)
{
    const char *owner = i->nf_instance == NULL ? "infrastructure" : i->nf_instance;
    CLEANUP(store_end) struct store_rows rows = {0};
    bool row;

    if (store_query(db, &rows, "SELECT owner FROM public_key WHERE sha256 = ?1",
                    STORE_VALUES(store_blob(i->spki_sha256)), e) != 0 ||
        store_next(&rows, &row, e) != 0) {
        return -1;
    }
    if (row) {
        *outcome = strcmp(row_text(&rows, 0), owner) == 0 ? *outcome : ISSUANCE_KEY_TAKEN;
        return 0;
    }
    store_end(&rows);
    return !is_go(*outcome)
               ? 0
               : store_exec(db, "INSERT INTO public_key(sha256, owner) VALUES(?1, ?2)",
                            STORE_VALUES(store_blob(i->spki_sha256), store_text(owner)), e);
}

static int
append_intent_leaf(struct store_db *db, const struct issuance_intent *i,
                   const struct issuance_place *place, uint64_t *index, struct err *e)
{
    CLEANUP(leaf_cleanup) struct leaf *leaf = leaf_new(LEAF_INTENT, i->now);
    uint8_t hash[SHA256_SIZE];

    if (sha256(i->tbs, hash, e) != 0) {
        return -1;
    }
    leaf_set_hex(leaf, "rid", i->rid);
    leaf_set_hex(leaf, "serial", i->serial);
    leaf_set_text(leaf, "profile", i->profile);
    leaf_set_hex(leaf, "tbs", span_of(hash, sizeof(hash)));
    leaf_set_time(leaf, "notBefore", i->not_before);
    leaf_set_time(leaf, "notAfter", i->not_after);
    if (i->profile_file.n > 0) {
        leaf_set_hex(leaf, "profileFile", i->profile_file);
    }
    if (i->registration != NULL) {
        leaf_set_text(leaf, "nfInstanceId", i->nf_instance);
        leaf_set_text(leaf, "registration", i->registration);
        leaf_set_text(leaf, "assurance", i->assurance == ISSUANCE_SIGNATURE ? "signature" : "mac");
    }
    if (i->by != NULL) {
        leaf_set_text(leaf, "by", i->by);
    }
    if (i->approvals > 0) {
        leaf_set_int(leaf, "approvals", i->approvals);
    }
    if (place->is_retry) {
        leaf_set_hex(leaf, "insteadOf", span_of(place->instead_of, sizeof(place->instead_of)));
    }
    if (i->renews.n > 0) {
        leaf_set_hex(leaf, i->is_update ? "updates" : "renews", i->renews);
        if (i->message_time != 0) {
            leaf_set_time(leaf, "messageTime", i->message_time);
        }
    }
    return ledger_append(db, leaf, index, e);
}

static struct store_value
number_or_null(bool there, int64_t number)
{
    return there ? store_int(number) : store_null();
}

static struct store_value
blob_or_null(bool there, struct span bytes)
{
    return there ? store_blob(bytes) : store_null();
}

static int
insert_intent(struct store_db *db, const struct issuance_intent *i,
              const struct issuance_place *place, struct err *e)
{
    const bool nf = i->registration != NULL;
    CLEANUP(buf_free) struct buf evidence = {0};
    CLEANUP(buf_free) struct buf tbs = {0};
    uint64_t leaf;

    if (nf && i->renews.n == 0 && !place->is_retry &&
        store_exec(db, "UPDATE registration SET used = used + 1 WHERE id = ?1",
                   STORE_VALUES(store_text(i->registration)), e) != 0) {
        return -1;
    }
    /* what waited has its leaf REQUEST already */
    if (nf && i->approvals == 0 && issuance_append_request(db, i, NULL, e) != 0) {
        return -1;
    }
    if (append_intent_leaf(db, i, place, &leaf, e) != 0 ||
        packed_make(db, "request", i->evidence, &evidence, e) != 0 ||
        packed_make(db, "tbs", i->tbs, &tbs, e) != 0) {
        return -1;
    }
    return store_exec(
        db,
        "INSERT INTO request(rid, state, registration, transaction_id, cert_req_id, assurance, "
        "requester, profile, evidence, queue_sequence, queue_previous, serial, tbs, not_after, "
        "created, leaf, renews, is_update, confirm, profile_file, message_time, not_before, "
        "instead_of) "
        "VALUES(?1, 0, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, "
        "?18, ?19, ?20, ?21, ?22)",
        STORE_VALUES(
            store_blob(i->rid), store_text(i->registration), blob_or_null(nf, i->transaction_id),
            number_or_null(nf, i->cert_req_id), number_or_null(nf, i->assurance),
            blob_or_null(nf && i->requester.n > 0, i->requester), store_text(i->profile),
            store_blob(buf_span(&evidence)), number_or_null(nf, (int64_t)i->queue_sequence),
            blob_or_null(nf, i->queue_previous), store_blob(i->serial), store_blob(buf_span(&tbs)),
            store_int(i->not_after), store_int(i->judged), store_int((int64_t)leaf),
            blob_or_null(i->renews.n > 0, i->renews), store_int(i->is_update ? 1 : 0),
            store_int(nf ? i->confirm : ISSUANCE_IMPLICIT),
            blob_or_null(i->profile_file.n > 0, i->profile_file),
            number_or_null(i->message_time != 0, i->message_time), store_int(i->not_before),
            blob_or_null(place->is_retry, span_of(place->instead_of, sizeof(place->instead_of)))),
        e);
}

int
issuance_intend(struct store_db *db, const struct issuance_intent *i,
                enum issuance_outcome *outcome, struct err *e)
{
    struct issuance_place place = {0};
    uint64_t leaf;

    if (issuance_admissible(db, i, &place, outcome, e) != 0) {
        return -1;
    }
    if (*outcome == ISSUANCE_AGAIN && i->approvals > 0) {
        *outcome = ISSUANCE_RENEWED; /* it waits on its own account by now */
    }
    if (*outcome == ISSUANCE_AGAIN) {
        return issuance_append_again(db, i, &place.former, &leaf, e);
    }
    if ((is_go(*outcome) && i->approvals > 0 && issuance_check_approved(db, i, outcome, e) != 0) ||
        (is_go(*outcome) && check_key(db, i, outcome, e) != 0)) {
        return -1;
    }
    if (*outcome == ISSUANCE_REPLACED &&
        issuance_end_unwanted(db, span_of(place.former.rid, sizeof(place.former.rid)),
                              "a newer request of its holder takes its place", "replaced",
                              (struct issuance_when){.now = i->now, .date = i->date}, e) != 0) {
        return -1;
    }
    return is_go(*outcome) ? insert_intent(db, i, &place, e) : 0;
}
