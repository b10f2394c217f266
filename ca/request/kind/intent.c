/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/request/kind/intent.h"

#include <stdio.h>

#include "ca/request/kind/refusal.h"

enum { INTENT_AGE_MAX_S = 24 * 60 * 60 };

/* ---- T1 ---- */

struct issuance_intent
intent_of_grant(const struct request *r)
{
    const struct tbs_request *t = &r->grant.request;

    return (struct issuance_intent){
        .rid = request_rid(r),
        .profile = t->profile->name,
        .evidence = buf_span(&r->asked),
        .spki_sha256 = span_of(r->grant.spki_sha256, SHA256_SIZE),
        .serial = span_of(t->serial, sizeof(t->serial)),
        .tbs = buf_span(&r->grant.tbs),
        .not_before = t->not_before,
        .not_after = t->not_after,
        .judged = r->grant.judged,
        .now = r->now,
        .date = ca_when(r->ca, r->now).date,
    };
}

static int
load(struct request *r, struct store_db *db, struct err *e)
{
    issuance_request_free(&r->row);
    return issuance_find(db, request_rid(r), &r->row, &r->is_known, e);
}

enum request_stage
intent_answer_again(struct request *r)
{
    struct issuance_request *row = &r->row;

    switch (row->state) {
    case ISSUANCE_INTENT:
        return request_busy(r); /* it is being signed */
    case ISSUANCE_ISSUED:
    case ISSUANCE_CONFIRMED:
    case ISSUANCE_REJECTED:
        r->outcome = OUTCOME_ISSUED;
        r->leaf = row->leaf;
        buf_move(&r->certificate, &row->certificate);
        return STAGE_LOG;
    case ISSUANCE_REFUSED:
    case ISSUANCE_ABANDONED:
        r->outcome = OUTCOME_REFUSED;
        r->leaf = row->leaf;
        r->fail_info = row->fail_info;
        (void)snprintf(r->phrase, sizeof(r->phrase), "%s", row->phrase);
        return STAGE_LOG;
    }
    ca_die(&(struct err){.code = ERR_STORE, .text = "a state that does not exist"}, "request");
}

int
intent_find_answer(struct request *r, struct store_db *db, enum request_stage *next, struct err *e)
{
    if (load(r, db, e) != 0) {
        return -1;
    }
    *next = intent_answer_again(r);
    return 0;
}

int
intent_store(struct request *r, struct store_db *db, const struct issuance_intent *i,
             enum request_stage *next, struct err *e)
{
    enum issuance_outcome outcome;

    if (issuance_intend(db, i, &outcome, e) != 0) {
        return -1;
    }
    switch (outcome) {
    case ISSUANCE_REPLACED:
        r->revoked = true; /* what was not confirmed */
        *next = STAGE_LOG_INTENT;
        return load(r, db, e);
    case ISSUANCE_DONE:
        *next = STAGE_LOG_INTENT;
        return load(r, db, e);
    case ISSUANCE_KNOWN:
    case ISSUANCE_AGAIN:
        return intent_find_answer(r, db, next, e);
    case ISSUANCE_SIGNING:
        *next = request_busy(r); /* when that is signed it is the answer, or is replaced */
        return 0;
    case ISSUANCE_NOT_APPROVED: /* an officer was revoked, or it is late: the next look says */
        r->outcome = OUTCOME_WAITING;
        *next = STAGE_RECORD;
        return 0;
    case ISSUANCE_SIGNER_UNKNOWN:
    case ISSUANCE_NOT_REGISTERED:
    case ISSUANCE_USED_UP:
    case ISSUANCE_TRANSACTION_IN_USE:
    case ISSUANCE_KEY_TAKEN:
    case ISSUANCE_PROOF_SHARED:
    case ISSUANCE_OWNED:
    case ISSUANCE_REPEATED:
    case ISSUANCE_CLOSED:
    case ISSUANCE_HOLDER_REVOKED:
    case ISSUANCE_SUPERSEDES_NOTHING:
    case ISSUANCE_UNWANTED:
    case ISSUANCE_RENEWED:
    case ISSUANCE_RENEWAL_WAITS:
    case ISSUANCE_SUCCEEDED:
    case ISSUANCE_TOO_OFTEN:
        break;
    }
    return request_refuse_outcome(r, db, i, outcome, next, e);
}

/* ---- what is found later ---- */

int
intent_look(struct request *r, struct store_db *db, enum request_stage *next, struct err *e)
{
    bool cancelled;

    if (r->opened_at != 0 &&
        (r->row.created > r->now || r->now - r->row.created > INTENT_AGE_MAX_S)) {
        *next = request_give_up(r, "not resolved in time after a restart");
        return 0;
    }
    if (issuance_is_cancelled(db, request_rid(r), &cancelled, e) != 0) {
        return -1;
    }
    *next = cancelled ? request_give_up_cancelled(r) : STAGE_JUDGE;
    return 0;
}

/* ---- the signature ---- */

enum request_stage
intent_signed(struct request *r)
{
    if (r->sign.result == 0) {
        return STAGE_SEAL;
    }
    r->e = r->sign.e;
    log_err(LOG_ERROR, "not-signed", &r->e, "%s", r->row.profile);
    /* The signer's policy will not change its mind about these octets. */
    return r->e.code == ERR_DENIED || r->e.code == ERR_INPUT ? request_give_up(r, NULL)
                                                             : request_busy(r);
}

/* The signature is verified under the issuing key, and what was not linted before is. */
enum request_stage
intent_seal(struct request *r)
{
    if (policy_seal(&r->ca->policy, buf_span(&r->row.tbs), buf_span(&r->sign.signature), &r->grant,
                    &r->certificate, &r->e) == 0) {
        return STAGE_RECORD;
    }
    /* The intent stays; nothing that does not verify goes further. */
    log_err(LOG_ERROR, "certificate-not-sealed", &r->e, "the intent is kept");
    return request_busy(r);
}

/* ---- T2 ---- */

int
intent_abandon(struct request *r, struct store_db *db, struct err *e)
{
    r->revoked = true; /* a signature may exist that nobody gets */
    return issuance_abandon(db, request_rid(r), r->fail_info, r->phrase, r->e.text,
                            ca_when(r->ca, r->now), &r->leaf, e);
}

int
intent_issue(struct request *r, struct store_db *db, struct err *e)
{
    bool cancelled;

    if (issuance_is_cancelled(db, request_rid(r), &cancelled, e) != 0) {
        return -1;
    }
    if (cancelled) {
        (void)request_give_up_cancelled(r);
        return intent_abandon(r, db, e);
    }
    r->outcome = OUTCOME_ISSUED;
    return issuance_issue(db, request_rid(r), buf_span(&r->certificate), r->now, &r->leaf, e);
}
