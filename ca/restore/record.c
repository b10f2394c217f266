/* SPDX-License-Identifier: Apache-2.0 */
#include "base/validity.h"
#include "ca/restore/state.h"
#include "ca/x509/serial.h"
#include "db/issuance/life/approval.h"
#include "db/issuance/on_trust.h"
#include "db/issuance/rebuild/restored.h"
#include "db/issuance/scrub.h"

static int
give_up(struct restore *r, struct store_db *db, struct err *e)
{
    const struct issuance_when when = ca_when(r->ca, r->now);
    uint8_t rid[ISSUANCE_RID_SIZE];
    uint64_t leaf;
    bool found = true;

    while (found) {
        if (rebuild_lost_intent(db, rid, &found, e) != 0 ||
            (found && issuance_abandon(db, span_of(rid, sizeof(rid)), CMP_SYSTEM_FAILURE,
                                       phrase_text(PHRASE_GIVEN_UP),
                                       "its certificate was not in the ledger, at a restore", when,
                                       &leaf, e) != 0)) {
            return -1;
        }
    }
    return 0;
}

static int
refuse(struct restore *r, struct store_db *db, struct err *e)
{
    uint8_t rid[ISSUANCE_RID_SIZE];
    enum issuance_outcome outcome;
    uint64_t leaf;
    bool found = true;

    while (found) {
        if (rebuild_lost_pending(db, rid, &found, e) != 0 ||
            (found && issuance_pending_refuse(db, span_of(rid, sizeof(rid)), CMP_SYSTEM_UNAVAIL,
                                              phrase_text(PHRASE_GIVEN_UP),
                                              "its octets were lost, at a restore", r->now, &leaf,
                                              &outcome, e) != 0)) {
            return -1;
        }
    }
    return 0;
}

static int
run_record(struct store_op *op, struct store_db *db, struct err *e)
{
    struct restore *r = restore_of(op);
    const struct restore_plan *p = &r->plan;
    uint8_t hash[SHA256_SIZE];
    time_t begin;
    time_t end;
    const struct previous *previous = p->previous;
    const struct restored_previous old = {
        .origin = r->previous.key.origin,
        .key = span_of(r->previous.key.spki, r->previous.key.spki_n),
        .note = buf_span(&r->previous.note),
        .signed_size = r->previous.signed_size,
        .signed_root = span_of(r->previous.signed_root.octets, MERKLE_HASH),
    };
    const struct restored restored = {
        .from = p->from,
        .to = p->log.size,
        .root = span_of(p->log.root.octets, MERKLE_HASH),
        .plan = span_of(hash, sizeof(hash)),
        .officers = {{serial_of(r->approvals[0].officer), buf_span(&r->approvals[0].cms)},
                     {serial_of(r->approvals[1].officer), buf_span(&r->approvals[1].cms)}},
        .crl_number = p->crl_number,
        .crl = span_of(p->crl_hash, sizeof(p->crl_hash)),
        .back = p->back,
        .abandoned = p->abandoned,
        .refused = p->refused,
        .voided = p->voided,
        .from_crl = p->from_crl,
        .adopted = p->adopted,
        .previous = previous == NULL ? NULL : &old,
        .went_back_from = r->ca->went_back_from,
        .now = r->now,
    };

    return validity_read(r->ca->policy.issuing, &begin, &end, e) != 0 ||
                   sha256(span_str(r->text), hash, e) != 0 ||
                   restored_append(db, &restored, e) != 0 ||
                   adoption_take(&r->adoption, db, r->rebuild, ca_when(r->ca, r->now), e) != 0 ||
                   give_up(r, db, e) != 0 || refuse(r, db, e) != 0 ||
                   restored_void(db, p->from, r->now, e) != 0 || restore_unmark_copy(db, e) != 0
               ? -1
               : newest_crl_take(&r->crl, db, r->rebuild, end, ca_when(r->ca, r->now), e);
}

int
step_record(struct restore *r, struct err *e)
{
    return restore_in_store(r, run_record, e);
}

static int
run_verify(struct store_op *op, struct store_db *db, struct err *e)
{
    const struct issuance_scrub anew = {0};

    (void)op;
    return issuance_check(db, e) != 0 || issuance_settings_check(db, e) != 0
               ? -1
               : issuance_scrub_store(db, &anew, e);
}

int
step_verify(struct restore *r, struct err *e)
{
    return restore_in_store(r, run_verify, e);
}
