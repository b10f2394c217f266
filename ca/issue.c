/* SPDX-License-Identifier: Apache-2.0 */
/* From the link to the judge. What follows is in issue_intend.c and issue_sign.c, the answers are
 * in issue_end.c. */
#include "ca/issue.h"

#include <stdio.h>
#include <string.h>

#include "ca/cmp/protect.h"
#include "ca/registered.h"

struct span
issue_rid(const struct issue *j)
{
    return span_of(j->flight->rid, sizeof(j->flight->rid));
}

struct span
issue_ra_der(const struct issue *j)
{
    return cmp_msg_extra(cmp_queued_outer(j->queued), 0);
}

void
issue_work(struct issue *j, void (*run)(struct task *), void (*done)(struct task *))
{
    j->work = (struct task){.run = run, .done = done};
    j->now = clock_now();
    pool_submit(j->ca->pool, &j->work);
}

void
issue_store(struct issue *j, int (*run)(struct store_op *, struct store_db *, struct err *),
            void (*done)(struct task *))
{
    j->op = (struct store_op){.run = run, .task = {.done = done}};
    j->now = clock_now();
    store_submit(j->ca->store, &j->op);
}

void
issue_release(struct issue *j, uint64_t leaf, void (*released)(struct release_item *))
{
    j->release = (struct release_item){.leaf = leaf, .released = released};
    release_wait(j->ca->release, &j->release);
}

/* ---- what is known already ---- */

static void
released_issued(struct release_item *item)
{
    issue_end_issued(CONTAINER_OF(item, struct issue, release));
}

static void
released_refused(struct release_item *item)
{
    struct issue *j = CONTAINER_OF(item, struct issue, release);

    issue_end_refused(j, j->found.fail_info, j->found.phrase);
}

/* The same octets get the same answer. */
void
issue_answer_again(struct issue *j)
{
    struct issuance_request *q = &j->found;

    switch (q->state) {
    case ISSUANCE_INTENT:
        if (j->call != NULL) {
            issue_officer_again(j);
            return;
        }
        issue_sign(j); /* judged by this process: issue_recover() left none */
        return;
    case ISSUANCE_ISSUED:
    case ISSUANCE_CONFIRMED:
    case ISSUANCE_REJECTED:
        buf_move(&j->certificate, &q->certificate);
        issue_release(j, q->leaf, released_issued);
        return;
    case ISSUANCE_REFUSED:
    case ISSUANCE_ABANDONED:
        issue_release(j, q->leaf, released_refused);
        return;
    }
    ca_die(&(struct err){.code = ERR_STORE, .text = "a state that does not exist"}, "request");
}

/* ---- judge ---- */

static void
run_judge(struct task *task)
{
    struct issue *j = CONTAINER_OF(task, struct issue, work);

    j->failure = CMP_NOT_AUTHORIZED;
    j->result =
        registered_check(j->ca->registered, &j->ca->policy,
                         cmp_queued_entry(j->queued)->registration_id, &j->registration, &j->e);
    if (j->result == 0) {
        const struct policy_facts facts = {.json = buf_span(&j->registration.json),
                                           .holder = j->is_held ? &j->holder : NULL};

        j->result = policy_grant_request(&j->ca->policy, j->queued, &facts, j->now, &j->grant,
                                         &j->requester, &j->failure, &j->e);
    }
    if (j->result == 0) {
        j->failure = CMP_NOT_AUTHORIZED;
        j->result = issue_judge_approvals(j);
    }
}

static void
on_judged(struct task *task)
{
    struct issue *j = CONTAINER_OF(task, struct issue, work);

    if (j->result != 0) {
        issue_refuse(j);
        return;
    }
    j->is_granted = true;
    if (j->is_approved) {
        issue_intend(j);
    } else {
        issue_await(j);
    }
}

/* ---- look ---- */

static int
look_first(struct issue *j, struct store_db *db, const char *registration, struct err *e)
{
    const struct cmp_msg *inner = cmp_queued_inner(j->queued);
    uint64_t leaf;
    bool found;

    if (issuance_confirmation_find(db, issue_rid(j), &leaf, &j->is_confirmed, e) != 0) {
        return -1;
    }
    if (j->is_confirmed) {
        j->found.leaf = leaf;
        return 0;
    }
    if (issuance_find_transaction(db, registration, cmp_msg_transaction_id(inner), &j->first,
                                  &found, e) != 0) {
        return -1;
    }
    if (!found) {
        return 0;
    }
    j->first_evidence = BUF_INIT(ISSUANCE_EVIDENCE_MAX);
    return issuance_evidence(db, span_of(j->first.rid, sizeof(j->first.rid)), &j->first_evidence,
                             e);
}

static int
run_look(struct store_op *op, struct store_db *db, struct err *e)
{
    struct issue *j = CONTAINER_OF(op, struct issue, op);
    const char *registration = cmp_queued_entry(j->queued)->registration_id;

    if (issuance_find(db, issue_rid(j), &j->found, &j->is_found, e) != 0 || j->is_found) {
        return j->is_found ? 0 : -1;
    }
    if (issuance_registration_find(db, registration, &j->registration, &j->is_registered, e) != 0) {
        return -1;
    }
    if (j->is_confirmation) {
        return look_first(j, db, registration, e);
    }
    if (j->is_revocation && issue_revoke_look(j, db, e) != 0) {
        return -1;
    }
    if (j->is_signer_ours &&
        issuance_holder_find(db, span_of(j->signer_serial, sizeof(j->signer_serial)),
                             cmp_signer_der(cmp_queued_inner(j->queued)), &j->holder, &j->is_held,
                             e) != 0) {
        return -1;
    }
    return j->is_revocation ? 0 : issue_look_waiting(j, db, e);
}

static void
on_looked(struct task *task)
{
    struct issue *j = CONTAINER_OF(task, struct issue, op.task);

    ca_check_store(&j->op, "look a request up");
    if (j->is_found) {
        issue_answer_again(j);
    } else if (!j->is_registered) {
        (void)phrase_refuse(&j->failure, PHRASE_NOT_REGISTERED, &j->e, "no such registration");
        issue_refuse(j);
    } else if (j->is_confirmed && j->is_revocation) {
        issue_release_revoked(j);
    } else if (j->is_confirmed) {
        issue_release_confirmed(j);
    } else if (j->is_revocation) {
        issue_revoke(j);
    } else if (j->is_confirmation) {
        issue_confirm(j);
    } else if (!issue_is_kept_waiting(j)) {
        issue_work(j, run_judge, on_judged);
    }
}

/* ---- open ---- */

static void
run_open(struct task *task)
{
    struct issue *j = CONTAINER_OF(task, struct issue, work);

    j->queued = policy_open(&j->ca->policy, buf_span(&j->asked), issue_rid(j), j->ras->list,
                            j->ras->n, j->now, &j->failure, &j->e);
    if (j->queued != NULL) {
        j->is_signer_ours =
            policy_holder_serial(&j->ca->policy, cmp_queued_inner(j->queued), j->signer_serial);
        j->is_revocation = cmp_msg_body(cmp_queued_inner(j->queued)) == CMP_RR;
    }
    if (j->is_revocation) {
        issue_revoke_read(j);
    }
}

/* What an RA may submit: a request for a certificate, its confirmation, a request for a revocation.
 */
static bool
is_submittable(enum cmp_body body, bool *is_confirmation)
{
    *is_confirmation = false;
    switch (body) {
    case CMP_IR:
    case CMP_CR:
    case CMP_P10CR:
    case CMP_KUR:
    case CMP_RR:
        return true;
    case CMP_CERTCONF:
        *is_confirmation = true;
        return true;
    case CMP_IP:
    case CMP_CP:
    case CMP_POPDECC:
    case CMP_POPDECR:
    case CMP_KUP:
    case CMP_KRR:
    case CMP_KRP:
    case CMP_RP:
    case CMP_CCR:
    case CMP_CCP:
    case CMP_CKUANN:
    case CMP_CANN:
    case CMP_RANN:
    case CMP_CRLANN:
    case CMP_PKICONF:
    case CMP_NESTED:
    case CMP_GENM:
    case CMP_GENP:
    case CMP_ERROR:
    case CMP_POLLREQ:
    case CMP_POLLREP:
        return false;
    }
    return false;
}

static void
on_opened(struct task *task)
{
    struct issue *j = CONTAINER_OF(task, struct issue, work);
    enum cmp_body body;

    if (j->queued == NULL) {
        /* Nobody whom we know stands for it, so it changes nothing here; nor is the network
         * function at fault. What waits for officers waits on: its RA can wrap it anew. */
        issue_end_deferred(j);
        return;
    }
    j->may_refuse = true;
    body = cmp_msg_body(cmp_queued_inner(j->queued));
    if (!is_submittable(body, &j->is_confirmation)) {
        j->failure = CMP_BAD_REQUEST;
        (void)err_set(&j->e, ERR_DENIED, "%s is not done here", cmp_body_name(body));
        issue_refuse(j);
        return;
    }
    issue_store(j, run_look, on_looked);
}

void
issue_open(struct issue *j)
{
    issue_work(j, run_open, on_opened);
}

struct issue *
issue_new(struct ca *ca, struct flight *flight, struct span asked)
{
    struct issue *j = mem_zalloc(1, sizeof(*j));
    struct err e = {0};

    j->ca = ca;
    j->flight = flight;
    j->asked = BUF_INIT(ISSUANCE_EVIDENCE_MAX);
    if (buf_set(&j->asked, asked, &e) != 0) {
        ca_die(&e, "a request"); /* the link's limit is below ours */
    }
    ca->jobs++;
    ca->count.submitted++;
    return j;
}

void
issue_submit(struct ca *ca, link_peer peer, const struct link_message *m)
{
    struct flight *busy = NULL;
    struct flight *flight = ca_flight_begin(ca, m->id, peer, &busy);
    struct issue *j;

    if (flight == NULL) {
        /* On its way already: for an RA that connected anew, the answer goes there. */
        if (busy != NULL && busy->peer != 0 && busy->peer != peer) {
            ca_answer_busy(ca, busy->peer, m->id);
            busy->peer = peer;
        } else {
            ca_answer_busy(ca, peer, m->id);
        }
        return;
    }
    j = issue_new(ca, flight, m->body);
    j->queue_sequence = m->sequence;
    memcpy(j->queue_previous, m->previous.p, sizeof(j->queue_previous));
    j->ras = ca_ras_hold(ca);
    issue_open(j);
}
