/* SPDX-License-Identifier: Apache-2.0 */
/* From the link to T1. What follows is in issue_sign.c, the answers are in issue_end.c. */
#include "ca/issue.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "ca/registered.h"
#include "ca/x509/csr.h"

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

/* ---- an officer's intent that a stop left behind ---- */

static void
run_officer_again(struct task *task)
{
    struct issue *j = CONTAINER_OF(task, struct issue, work);
    const struct issuance_request *q = &j->found;

    policy_grant_free(&j->grant);
    j->grant = (struct policy_grant){0};
    j->result = policy_grant_officer(&j->ca->policy, buf_span(&j->asked), j->profile,
                                     j->common_name, j->days, q->created, &j->grant, &j->e);
    if (j->result == 0) {
        j->result =
            policy_same(&j->grant, span_of(q->serial, sizeof(q->serial)), buf_span(&q->tbs), &j->e);
    }
}

static void
on_officer_again(struct task *task)
{
    struct issue *j = CONTAINER_OF(task, struct issue, work);

    if (j->result != 0) {
        (void)err_wrap(&j->e, "this request was used before, for something else");
        issue_refuse(j);
        return;
    }
    issue_sign(j);
}

/* The same octets get the same answer. */
static void
answer_again(struct issue *j)
{
    struct issuance_request *q = &j->found;

    switch (q->state) {
    case ISSUANCE_INTENT:
        if (j->call != NULL) {
            issue_work(j, run_officer_again, on_officer_again);
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
    ca_die(&(struct err){ERR_STORE, "a state that does not exist"}, "request");
}

/* ---- T1 ---- */

static int
fill_requester(const struct issue *j, uint8_t fingerprint[SHA256_SIZE], struct issuance_intent *i,
               struct err *e)
{
    CLEANUP(buf_free) struct buf der = BUF_INIT(CMP_MESSAGE_MAX);

    if (j->requester != NULL && (OSSL_ENCODE(X509, j->requester, &der, e) != 0 ||
                                 sha256(buf_span(&der), fingerprint, e) != 0)) {
        return -1;
    }
    i->assurance = j->requester != NULL ? ISSUANCE_SIGNATURE : ISSUANCE_MAC;
    i->requester = span_of(fingerprint, j->requester != NULL ? SHA256_SIZE : 0);
    return 0;
}

int
issue_fill_intent(const struct issue *j, uint8_t fingerprint[SHA256_SIZE],
                  struct issuance_intent *i, struct err *e)
{
    const struct tbs_request *t = &j->grant.request;

    *i = (struct issuance_intent){
        .rid = issue_rid(j),
        .profile = t->profile->name,
        .evidence = buf_span(&j->asked),
        .spki_sha256 = span_of(j->grant.spki_sha256, SHA256_SIZE),
        .serial = span_of(t->serial, sizeof(t->serial)),
        .tbs = buf_span(&j->grant.tbs),
        .not_before = t->not_before,
        .not_after = t->not_after,
        .approvals = j->approvals,
        .now = j->now,
    };
    if (j->call != NULL) {
        return 0;
    }
    i->profile_file = span_of(j->ca->profile_file, SHA256_SIZE);
    i->registration = j->registration.id;
    i->ra_der = issue_ra_der(j);
    i->nf_instance = j->grant.registration.nf.instance_id;
    i->certificates = j->grant.registration.certificates;
    i->transaction_id = cmp_msg_transaction_id(cmp_queued_inner(j->queued));
    i->queue_sequence = j->queue_sequence;
    i->queue_previous = span_of(j->queue_previous, sizeof(j->queue_previous));
    i->cert_req_id = cmp_msg_body(cmp_queued_inner(j->queued)) == CMP_P10CR ? CMP_CERT_REQ_ID_P10
                                                                            : CMP_CERT_REQ_ID;
    if (j->is_held) {
        i->holder = span_of(j->holder.serial, sizeof(j->holder.serial));
    }
    if (j->grant.renewal.replaces) {
        i->renews = i->holder;
    }
    i->is_update = j->grant.renewal.is_update;
    i->confirm = i->is_update                                            ? ISSUANCE_REQUIRED
                 : cmp_msg_implicit_confirm(cmp_queued_inner(j->queued)) ? ISSUANCE_IMPLICIT
                                                                         : ISSUANCE_EXPECTED;
    return fill_requester(j, fingerprint, i, e);
}

static int
run_intend(struct store_op *op, struct store_db *db, struct err *e)
{
    struct issue *j = CONTAINER_OF(op, struct issue, op);
    uint8_t fingerprint[SHA256_SIZE];
    struct issuance_intent i;
    bool found;

    if (issue_fill_intent(j, fingerprint, &i, e) != 0) {
        return -1;
    }
    if (issuance_intend(db, &i, &j->outcome, e) != 0) {
        return -1;
    }
    /* What is signed is what is stored, now and after a crash. */
    if (j->outcome == ISSUANCE_DONE || j->outcome == ISSUANCE_KNOWN) {
        issuance_request_free(&j->found);
        return issuance_find(db, i.rid, &j->found, &found, e);
    }
    return 0;
}

static enum cmp_failure
failure_of(enum issuance_outcome outcome)
{
    switch (outcome) {
    case ISSUANCE_SIGNER_UNKNOWN:
        return CMP_SIGNER_NOT_TRUSTED;
    case ISSUANCE_NOT_REGISTERED:
    case ISSUANCE_USED_UP:
    case ISSUANCE_OWNED:
    case ISSUANCE_REPEATED:
    case ISSUANCE_NOT_APPROVED:
        return CMP_NOT_AUTHORIZED;
    case ISSUANCE_TRANSACTION_IN_USE:
        return CMP_TRANSACTION_ID_IN_USE;
    case ISSUANCE_KEY_TAKEN:
        return CMP_BAD_CERT_TEMPLATE;
    case ISSUANCE_CLOSED:
        return CMP_BAD_REQUEST;
    case ISSUANCE_HOLDER_REVOKED:
        return CMP_CERT_REVOKED;
    case ISSUANCE_RENEWED:
        return CMP_DUPLICATE_CERT_REQ;
    case ISSUANCE_DONE:
    case ISSUANCE_KNOWN:
        break;
    }
    return CMP_SYSTEM_FAILURE;
}

void
issue_refuse_outcome(struct issue *j)
{
    j->failure = failure_of(j->outcome);
    if (j->outcome == ISSUANCE_RENEWED) {
        (void)snprintf(j->phrase, sizeof(j->phrase), "%s", issuance_outcome_text(j->outcome));
    }
    (void)err_set(&j->e, ERR_DENIED, "%s", issuance_outcome_text(j->outcome));
    issue_refuse(j);
}

static void
on_intended(struct task *task)
{
    struct issue *j = CONTAINER_OF(task, struct issue, op.task);

    ca_check_store(&j->op, "store an intent");
    switch (j->outcome) {
    case ISSUANCE_DONE:
        issue_sign(j);
        return;
    case ISSUANCE_KNOWN:
        j->is_granted = false; /* the stored TBS is another one than ours */
        answer_again(j);
        return;
    case ISSUANCE_SIGNER_UNKNOWN:
    case ISSUANCE_NOT_REGISTERED:
    case ISSUANCE_USED_UP:
    case ISSUANCE_TRANSACTION_IN_USE:
    case ISSUANCE_KEY_TAKEN:
    case ISSUANCE_OWNED:
    case ISSUANCE_REPEATED:
    case ISSUANCE_CLOSED:
    case ISSUANCE_HOLDER_REVOKED:
    case ISSUANCE_RENEWED:
        break;
    case ISSUANCE_NOT_APPROVED: /* an officer was revoked, or it is late: the next look says */
        issue_await(j);
        return;
    }
    issue_refuse_outcome(j);
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
        (void)snprintf(j->phrase, sizeof(j->phrase), "%s", j->grant.renewal.phrase);
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
        issue_store(j, run_intend, on_intended);
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
                             cmp_msg_extra(cmp_queued_inner(j->queued), 0), &j->holder, &j->is_held,
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
        answer_again(j);
    } else if (!j->is_registered) {
        j->failure = CMP_NOT_AUTHORIZED;
        (void)err_set(&j->e, ERR_DENIED, "no such registration");
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

    if (j->queued == NULL && j->is_pending) {
        issue_refuse(j); /* its RA was ours when it began to wait */
        return;
    }
    if (j->queued == NULL) {
        /* Nobody whom we know stands for it, so it changes nothing here. */
        log_err(LOG_WARNING, "submit-refused", &j->e, "not recorded");
        issue_end_refused(j, (int)j->failure, cmp_failure_phrase(j->failure));
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

/* ---- officers ---- */

static void
run_officer(struct task *task)
{
    struct issue *j = CONTAINER_OF(task, struct issue, work);

    j->result = policy_grant_officer(&j->ca->policy, buf_span(&j->asked), j->profile,
                                     j->common_name, j->days, j->now, &j->grant, &j->e);
}

static void
on_officer_judged(struct task *task)
{
    struct issue *j = CONTAINER_OF(task, struct issue, work);

    if (j->result != 0) {
        issue_refuse(j);
        return;
    }
    j->is_granted = true;
    issue_store(j, run_intend, on_intended);
}

void
issue_officer(struct ca *ca, struct admin_call *call, const json_t *request)
{
    const char *csr = json_string_value(json_object_get(request, "csr"));
    const char *profile = json_string_value(json_object_get(request, "profile"));
    const char *common_name = json_string_value(json_object_get(request, "commonName"));
    json_int_t days = json_integer_value(json_object_get(request, "days"));
    struct flight *busy = NULL;
    struct flight *flight;
    CLEANUP(csr_cleanup) struct csr *parsed = NULL;
    uint8_t rid[SHA256_SIZE];
    struct issue *j;
    struct err e = {0};

    if (csr == NULL || profile == NULL || common_name == NULL || days < INT_MIN || days > INT_MAX) {
        (void)err_set(&e, ERR_INPUT, "issue: csr, profile, commonName and days are needed");
        admin_refuse(call, &e);
        return;
    }
    parsed = csr_parse(span_str(csr), &e);
    if (parsed == NULL || sha256(csr_der(parsed), rid, &e) != 0) {
        admin_refuse(call, &e);
        return;
    }
    flight = ca_flight_begin(ca, span_of(rid, sizeof(rid)), 0, &busy);
    if (flight == NULL) {
        (void)err_set(&e, ERR_BUSY, "this request is being worked on");
        admin_refuse(call, &e);
        return;
    }
    j = issue_new(ca, flight, csr_der(parsed));
    j->call = call;
    j->profile = mem_strdup(profile);
    j->common_name = mem_strdup(common_name);
    j->days = (int)days;
    issue_work(j, run_officer, on_officer_judged);
}
