/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/request/kind/approval.h"

#include "ca/request/kind/intent.h"
#include "ca/request/kind/refusal.h"

void
approval_facts_free(struct approval_facts *a)
{
    issuance_pending_free(&a->pending);
    approved_free(&a->approved);
}

/* ---- look ---- */

int
approval_look(struct request *r, struct approval_facts *a, struct store_db *db,
              enum request_stage *next, struct err *e)
{
    if (issuance_pending_find(db, request_rid(r), &a->pending, &r->waited, e) != 0) {
        return -1;
    }
    *next = r->queued != NULL ? STAGE_JUDGE : request_defer(r);
    if (!r->waited) {
        return 0;
    }
    r->stood_for = true;
    if (approved_load(db, request_rid(r), &a->approved, e) != 0) {
        return -1;
    }
    if (a->pending.expires <= r->now) {
        *next = request_refuse_phrase(r, PHRASE_LATE_APPROVAL);
    } else if (!a->pending.registered) {
        *next = request_refuse_phrase(r, PHRASE_ENDED_WAITING);
    } else if (a->pending.approved < a->pending.approvals) {
        r->outcome = OUTCOME_WAITING;
        r->leaf = a->pending.leaf;
        *next = STAGE_LOG;
    }
    return 0;
}

int
approval_look_again(const struct request *r, struct approval_facts *a, struct store_db *db,
                    struct err *e)
{
    return approved_load(db, request_rid(r), &a->approved, e);
}

/* ---- judge ---- */

int
approval_judge(struct request *r, struct approval_facts *a, time_t at, bool *approved,
               struct err *e)
{
    const int demanded = r->grant.request.profile->approvals;
    struct approval request;
    int count = 0;

    /* What was demanded when it came is the least, whatever the profile says by now. */
    a->demanded = r->waited && a->pending.approvals > demanded ? a->pending.approvals : demanded;
    if (a->demanded > 0 && (r->waited || r->is_known)) {
        approved_request_of_grant(request_rid(r), r->registration.id, &r->grant, &request);
        if (approved_count(&r->ca->policy, &r->registration, &request, &a->approved, at, &count,
                           e) != 0) {
            return -1;
        }
    }
    *approved = count >= a->demanded;
    return 0;
}

/* ---- record ---- */

int
approval_pend(struct request *r, struct approval_facts *a, struct store_db *db,
              const struct issuance_intent *i, struct err *e)
{
    enum issuance_outcome outcome;
    enum request_stage next;

    if (r->waited) {
        r->leaf = a->pending.leaf;
        return 0;
    }
    if (issuance_pend(db, i, r->now + r->ca->conf.approval_s, &r->leaf, &outcome, e) != 0) {
        return -1;
    }
    switch (outcome) {
    case ISSUANCE_DONE:
        log_event(LOG_INFO, "waiting", "%s for %s: %d officers must approve",
                  r->grant.request.profile->name, r->grant.registration.nf.instance_id,
                  a->demanded);
        return 0;
    case ISSUANCE_AGAIN:
        return intent_find_answer(r, db, &next, e);
    case ISSUANCE_KNOWN:
    case ISSUANCE_SIGNING:
        (void)request_busy(r); /* its flight excludes the first; ask again when that is signed */
        return 0;
    case ISSUANCE_REPLACED:
    case ISSUANCE_NOT_APPROVED:
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
    return request_record_no(r, db, i, outcome, e);
}

int
approval_refuse(struct request *r, struct store_db *db, struct err *e)
{
    enum issuance_outcome outcome;

    if (issuance_pending_refuse(db, request_rid(r), r->fail_info, r->phrase, r->e.text, r->now,
                                &r->leaf, &outcome, e) != 0) {
        return -1;
    }
    if (outcome != ISSUANCE_DONE) {
        (void)request_busy(r); /* an officer was faster: asked again, it is answered so */
    }
    return 0;
}
