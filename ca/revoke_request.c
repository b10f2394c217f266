/* SPDX-License-Identifier: Apache-2.0 */
/* rr (RFC 9483 4.2, 5.3.2): from the look to the record and the CRL; revocation.h judges it. */
#include "ca/issue.h"
#include "ca/revocation.h"

void
issue_revoke_read(struct issue *j)
{
    struct err e = {0};

    if (cmp_revreq_read(cmp_queued_inner(j->queued), j->ca->policy.name, &j->revreq,
                        &j->revreq_failure, &e) != 0) {
        j->e = e; /* it is said when we know who asks */
    }
}

int
issue_revoke_look(struct issue *j, struct store_db *db, struct err *e)
{
    if (issuance_asked_find(db, issue_rid(j), &j->found.leaf, &j->is_confirmed, e) != 0) {
        return -1;
    }
    return j->revreq_failure != CMP_NO_FAILURE
               ? 0
               : issuance_target_find(db, span_of(j->revreq.serial, j->revreq.serial_size),
                                      &j->target, &j->is_target, e);
}

/* ---- answer ---- */

static void
released_revoked(struct release_item *item)
{
    issue_end_revoked(CONTAINER_OF(item, struct issue, release));
}

void
issue_release_revoked(struct issue *j)
{
    issue_release(j, j->found.leaf, released_revoked);
}

/* What the network function hears is what relying parties can see by then. When the token is away
 * the CRL comes later; the revocation is in the record, and that is what counts. */
static void
on_published(struct crl_waiter *waiter, uint64_t number, const struct err *why)
{
    struct issue *j = CONTAINER_OF(waiter, struct issue, crl);

    (void)number;
    if (why != NULL) {
        log_err(LOG_WARNING, "revoked", why, "the CRL follows");
    }
    issue_release_revoked(j);
}

/* ---- record ---- */

static int
run_revoke(struct store_op *op, struct store_db *db, struct err *e)
{
    struct issue *j = CONTAINER_OF(op, struct issue, op);
    const struct issuance_asked a = {
        .rid = issue_rid(j),
        .ra_der = issue_ra_der(j),
        .holder = span_of(j->holder.serial, sizeof(j->holder.serial)),
        .serial = span_of(j->revreq.serial, j->revreq.serial_size),
        .reason = j->revreq.reason,
        .by = j->by,
        .has_invalidity = j->revreq.has_invalidity,
        .invalidity_date = j->revreq.invalidity_date,
        .evidence = buf_span(&j->asked),
        .now = j->now,
    };

    return issuance_revoke_asked(db, &a, &j->found.leaf, &j->outcome, e);
}

static void
on_revoked(struct task *task)
{
    struct issue *j = CONTAINER_OF(task, struct issue, op.task);

    ca_check_store(&j->op, "store a revocation");
    if (j->outcome == ISSUANCE_DONE) {
        j->crl.done = on_published;
        crl_make(j->ca->crl, &j->crl);
    } else if (j->outcome == ISSUANCE_KNOWN) {
        issue_release_revoked(j);
    } else {
        issue_refuse_change(j, "rr", CMP_BAD_CERT_ID);
    }
}

/* ---- judge ---- */

static void
run_judge(struct task *task)
{
    struct issue *j = CONTAINER_OF(task, struct issue, work);

    const struct err why = j->e;
    const struct revocation_question q = {.queued = j->queued,
                                          .asked = &j->revreq,
                                          .malformed = j->revreq_failure,
                                          .why = &why,
                                          .holder = j->is_held ? &j->holder : NULL,
                                          .target = j->is_target ? &j->target : NULL,
                                          .trust = j->ca->policy.trust,
                                          .now = j->now};

    j->result = revocation_judge(&q, &j->by, &j->failure, &j->e);
}

static void
on_judged(struct task *task)
{
    struct issue *j = CONTAINER_OF(task, struct issue, work);

    if (j->result != 0) {
        issue_refuse(j);
        return;
    }
    issue_store(j, run_revoke, on_revoked);
}

void
issue_revoke(struct issue *j)
{
    issue_work(j, run_judge, on_judged);
}
