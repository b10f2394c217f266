/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A request whose profile demands officers' approvals:
 *
 *   look: does it wait? -> judge -> not enough: pend (store) -> release -> WAITING
 *                                -> enough, by their signatures: T1 as any other
 *
 * Everything is judged again when the approvals are there. What has begun to wait is refused in the
 * record even when its RA is not ours any more.
 */
#include <stdio.h>
#include <string.h>

#include "ca/issue.h"
#include "ca/waiting.h"

/* ---- look ---- */

int
issue_look_waiting(struct issue *j, struct store_db *db, struct err *e)
{
    issuance_pending_free(&j->pending);
    approved_free(&j->approved);
    if (issuance_pending_find(db, issue_rid(j), &j->pending, &j->is_pending, e) != 0) {
        return -1;
    }
    return j->is_pending ? approved_load(db, issue_rid(j), &j->approved, e) : 0;
}

static void
released_waiting(struct release_item *item)
{
    issue_end_waiting(CONTAINER_OF(item, struct issue, release));
}

static void
answer_waiting(struct issue *j)
{
    issue_release(j, j->pending.leaf, released_waiting);
}

static void
refuse(struct issue *j, enum phrase phrase)
{
    (void)phrase_refuse(&j->failure, phrase, &j->e, "%s", phrase_text(phrase));
    issue_refuse(j);
}

bool
issue_is_kept_waiting(struct issue *j)
{
    if (!j->is_pending) {
        return false;
    }
    if (j->pending.expires <= j->now) {
        refuse(j, PHRASE_LATE_APPROVAL);
        return true;
    }
    if (!j->pending.registered) {
        refuse(j, PHRASE_ENDED_WAITING);
        return true;
    }
    if (j->pending.approved < j->pending.approvals) {
        answer_waiting(j);
        return true;
    }
    return false;
}

/* ---- judge ---- */

int
issue_judge_approvals(struct issue *j)
{
    const int demanded = j->grant.request.profile->approvals;
    struct approval request;
    int count;

    /* What was demanded when it came is the least, whatever the profile says by now. */
    j->approvals =
        j->is_pending && j->pending.approvals > demanded ? j->pending.approvals : demanded;
    j->is_approved = j->approvals == 0;
    if (j->is_approved || !j->is_pending) {
        return 0;
    }
    approved_request_of_grant(issue_rid(j), j->registration.id, &j->grant, &request);
    if (approved_count(&j->ca->policy, &j->registration, &request, &j->approved, j->now, &count,
                       &j->e) != 0) {
        return -1;
    }
    j->is_approved = count >= j->approvals;
    return 0;
}

static int
run_pend(struct store_op *op, struct store_db *db, struct err *e)
{
    struct issue *j = CONTAINER_OF(op, struct issue, op);
    uint8_t fingerprint[SHA256_SIZE];
    struct issuance_intent i;

    if (issue_fill_intent(j, fingerprint, &i, e) != 0 ||
        issuance_pend(db, &i, j->now + j->ca->conf.approval_s, &j->pending.leaf, &j->outcome, e) !=
            0) {
        return -1;
    }
    if (j->outcome == ISSUANCE_AGAIN) {
        issuance_request_free(&j->found);
        return issuance_find(db, i.rid, &j->found, &j->is_found, e);
    }
    return issue_explain(j, db, &i, e);
}

static void
on_pended(struct task *task)
{
    struct issue *j = CONTAINER_OF(task, struct issue, op.task);

    ca_check_store(&j->op, "store a request that waits");
    if (j->outcome == ISSUANCE_DONE) {
        log_event(LOG_INFO, "waiting", "%s for %s: %d officers must approve",
                  j->grant.request.profile->name, j->grant.registration.nf.instance_id,
                  j->approvals);
        answer_waiting(j);
    } else if (j->outcome == ISSUANCE_AGAIN) {
        j->is_granted = false;
        issue_answer_again(j);
    } else if (j->outcome == ISSUANCE_KNOWN || j->outcome == ISSUANCE_SIGNING) {
        issue_end_busy(j); /* its flight excludes the first; ask again when that is signed */
    } else {
        issue_refuse_outcome(j);
    }
}

void
issue_await(struct issue *j)
{
    if (j->is_pending) {
        answer_waiting(j);
    } else {
        issue_store(j, run_pend, on_pended);
    }
}

/* ---- nobody asks, but something is due ---- */

static int
run_load(struct store_op *op, struct store_db *db, struct err *e)
{
    struct issue *j = CONTAINER_OF(op, struct issue, op);

    if (issuance_find(db, issue_rid(j), &j->found, &j->is_found, e) != 0 ||
        issue_look_waiting(j, db, e) != 0) {
        return -1;
    }
    return 0;
}

static void
on_loaded(struct task *task)
{
    struct issue *j = CONTAINER_OF(task, struct issue, op.task);

    ca_check_store(&j->op, "load what waits");
    if (j->is_found || !j->is_pending) {
        issue_end_waiting(j); /* done meanwhile */
        return;
    }
    j->queue_sequence = j->pending.queue_sequence;
    memcpy(j->queue_previous, j->pending.queue_previous, sizeof(j->queue_previous));
    buf_move(&j->asked, &j->pending.evidence);
    j->may_refuse = true;
    if (!issue_is_kept_waiting(j)) {
        issue_open(j);
    }
}

void
issue_resume(struct ca *ca, struct span rid)
{
    struct flight *busy = NULL;
    struct flight *flight = ca_flight_begin(ca, rid, 0, &busy);
    struct issue *j;

    if (flight == NULL) {
        return; /* on its way: the next look finds what that did not */
    }
    j = issue_new(ca, flight, span_of(NULL, 0));
    j->ras = ca_ras_hold(ca);
    issue_store(j, run_load, on_loaded);
}
