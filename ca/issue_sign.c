/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From the stored intent to the published certificate. What is signed is always the TBS that is in
 * the database, so a crash anywhere leads to the same certificate with, at most, another signature
 * that nobody saw.
 */
#include "ca/cmp/protect.h"
#include "ca/crl_maker.h"
#include "ca/issue.h"
#include "ca/registered.h"

enum { INTENT_AGE_MAX_S = 24 * 60 * 60 };

/* ---- T2 ---- */

static int
run_issue(struct store_op *op, struct store_db *db, struct err *e)
{
    struct issue *j = CONTAINER_OF(op, struct issue, op);

    if (issuance_is_cancelled(db, issue_rid(j), &j->is_cancelled, e) != 0) {
        return -1;
    }
    return j->is_cancelled
               ? issuance_abandon(db, issue_rid(j), CMP_NOT_AUTHORIZED,
                                  phrase_text(PHRASE_CANCELLED), "the registration was cancelled",
                                  j->now, &j->found.leaf, e)
               : issuance_issue(db, issue_rid(j), buf_span(&j->certificate), j->now, &j->found.leaf,
                                e);
}

static void
released_cancelled(struct release_item *item)
{
    struct issue *j = CONTAINER_OF(item, struct issue, release);

    issue_end_refused(j, CMP_NOT_AUTHORIZED, phrase_text(PHRASE_CANCELLED));
}

static void
released_issued(struct release_item *item)
{
    issue_end_issued(CONTAINER_OF(item, struct issue, release));
}

static void
on_issued(struct task *task)
{
    struct issue *j = CONTAINER_OF(task, struct issue, op.task);

    ca_check_store(&j->op, "store a certificate");
    if (j->is_cancelled) {
        crl_make(j->ca->crl, NULL); /* nobody gets what was signed */
        issue_release(j, j->found.leaf, released_cancelled);
        return;
    }
    j->ca->count.issued++;
    if (j->call != NULL) {
        ca_ras_reload(j->ca);
    }
    issue_release(j, j->found.leaf, released_issued);
}

/* ---- seal ---- */

static void
run_seal(struct task *task)
{
    struct issue *j = CONTAINER_OF(task, struct issue, work);

    j->result = policy_seal(&j->ca->policy, buf_span(&j->found.tbs), buf_span(&j->sign.signature),
                            j->is_granted ? &j->grant : NULL, &j->certificate, &j->e);
}

static void
on_sealed(struct task *task)
{
    struct issue *j = CONTAINER_OF(task, struct issue, work);

    buf_free(&j->sign.signature);
    if (j->result != 0) {
        /* The intent stays; nothing that does not verify goes further. */
        log_err(LOG_ERROR, "certificate-not-sealed", &j->e, "the intent is kept");
        issue_end_busy(j);
        return;
    }
    issue_store(j, run_issue, on_issued);
}

/* ---- sign ---- */

static int
run_abandon(struct store_op *op, struct store_db *db, struct err *e)
{
    struct issue *j = CONTAINER_OF(op, struct issue, op);

    ca_printable(j->e.text);
    return issuance_abandon(db, issue_rid(j), CMP_SYSTEM_FAILURE, phrase_text(PHRASE_GIVEN_UP),
                            j->e.text, j->now, &j->found.leaf, e);
}

static void
released_abandoned(struct release_item *item)
{
    struct issue *j = CONTAINER_OF(item, struct issue, release);

    issue_end_refused(j, CMP_SYSTEM_FAILURE, phrase_text(PHRASE_GIVEN_UP));
}

static void
on_abandoned(struct task *task)
{
    struct issue *j = CONTAINER_OF(task, struct issue, op.task);

    ca_check_store(&j->op, "abandon an intent");
    crl_make(j->ca->crl, NULL); /* with the serial number of what may have been signed */
    issue_release(j, j->found.leaf, released_abandoned);
}

static void
on_signed(struct task *task)
{
    struct issue *j = CONTAINER_OF(task, struct issue, sign.task);

    if (j->sign.result == 0) {
        issue_work(j, run_seal, on_sealed);
        return;
    }
    j->e = j->sign.e;
    buf_free(&j->sign.signature);
    log_err(LOG_ERROR, "not-signed", &j->e, "%s", j->found.profile);
    if (j->e.code == ERR_DENIED || j->e.code == ERR_INPUT) {
        /* The signer's policy will not change its mind about these octets. */
        issue_store(j, run_abandon, on_abandoned);
    } else {
        issue_end_busy(j);
    }
}

void
issue_sign(struct issue *j)
{
    j->sign = (struct signer_job){
        .task = {.done = on_signed}, .object = SIGNER_CERTIFICATE, .tbs = buf_span(&j->found.tbs)};
    signer_submit(j->ca->issuing, &j->sign);
}

/* ---- recovery ---- */

/* Who signed the request of an intent, when it was a certificate of ours. */
struct holder_op {
    struct store_op op;
    uint8_t serial[ISSUANCE_SERIAL_SIZE];
    struct span der;
    struct issuance_holder holder;
    bool found;
};

static int
run_holder(struct store_op *op, struct store_db *db, struct err *e)
{
    struct holder_op *h = CONTAINER_OF(op, struct holder_op, op);

    return issuance_holder_find(db, span_of(h->serial, sizeof(h->serial)), h->der, &h->holder,
                                &h->found, e);
}

struct open_op {
    struct store_op op;
    struct issuance_request *request;
    struct span certificate; /* empty: look, or abandon */
    const char *reason;      /* of an abandon */
    bool found;
    bool registered;
    struct buf *evidence;
    struct issuance_registration *registration;
    time_t now;
    uint64_t leaf;
};

static int
run_next_open(struct store_op *op, struct store_db *db, struct err *e)
{
    struct open_op *o = CONTAINER_OF(op, struct open_op, op);

    return issuance_next_open(db, o->now - INTENT_AGE_MAX_S, o->request, &o->found, e);
}

static int
run_evidence(struct store_op *op, struct store_db *db, struct err *e)
{
    struct open_op *o = CONTAINER_OF(op, struct open_op, op);

    if (issuance_evidence(db, span_of(o->request->rid, sizeof(o->request->rid)), o->evidence, e) !=
        0) {
        return -1;
    }
    return issuance_registration_find(db, o->request->registration, o->registration, &o->registered,
                                      e);
}

static int
run_resolve(struct store_op *op, struct store_db *db, struct err *e)
{
    struct open_op *o = CONTAINER_OF(op, struct open_op, op);
    struct span rid = span_of(o->request->rid, sizeof(o->request->rid));

    if (o->certificate.n > 0) {
        return issuance_issue(db, rid, o->certificate, o->now, &o->leaf, e);
    }
    return issuance_abandon(db, rid, CMP_SYSTEM_FAILURE, phrase_text(PHRASE_GIVEN_UP), o->reason,
                            o->now, &o->leaf, e);
}

struct approved_op {
    struct store_op op;
    struct span rid;
    struct approved approved;
};

static int
run_approved(struct store_op *op, struct store_db *db, struct err *e)
{
    struct approved_op *o = CONTAINER_OF(op, struct approved_op, op);

    return approved_load(db, o->rid, &o->approved, e);
}

/* What the profile demands, by what the officers signed. */
static int
check_approved(struct ca *ca, const struct issuance_request *q,
               const struct issuance_registration *registration, const struct policy_grant *grant,
               struct err *e)
{
    struct approved_op o = {.op = {.run = run_approved}, .rid = span_of(q->rid, sizeof(q->rid))};
    struct approval request;
    int count = 0;
    int result;

    if (grant->request.profile->approvals == 0) {
        return 0;
    }
    approved_request_of_grant(o.rid, registration->id, grant, &request);
    result = store_call(ca->store, &o.op, e) != 0
                 ? -1
                 : approved_count(&ca->policy, registration, &request, &o.approved, q->created,
                                  &count, e);
    approved_free(&o.approved);
    return result == 0 && count < grant->request.profile->approvals
               ? err_set(e, ERR_DENIED, "approved by %d officers", count)
               : result;
}

/* What is in the file is signed only when what the RA and the requester signed leads to it again:
 * an intent could have been written by somebody who can write the file and nothing else. */
static int
judge_again(struct ca *ca, const struct issuance_request *q, struct span evidence,
            const struct issuance_registration *registration, struct err *e)
{
    struct holder_op h = {.op = {.run = run_holder}};
    struct policy_facts facts = {.json = buf_span(&registration->json)};
    enum cmp_failure failure;
    CLEANUP(cmp_queued_cleanup)
    struct cmp_queued *queued = policy_open(&ca->policy, evidence, span_of(q->rid, sizeof(q->rid)),
                                            ca->ras->list, ca->ras->n, q->created, &failure, e);
    CLEANUP(policy_grant_free)
    struct policy_grant grant = {.request.not_before = q->not_before};
    CLEANUP(x509_cleanup) X509 *requester = NULL;
    const char *id = queued == NULL ? "" : cmp_queued_entry(queued)->registration_id;

    if (queued == NULL || registered_check(ca->registered, &ca->policy, id, registration, e) != 0) {
        return -1;
    }
    if (policy_holder_serial(&ca->policy, cmp_queued_inner(queued), h.serial)) {
        h.der = cmp_signer_der(cmp_queued_inner(queued));
        if (store_call(ca->store, &h.op, e) != 0) {
            return -1;
        }
        facts.holder = h.found ? &h.holder : NULL;
    }
    if (policy_grant_request(&ca->policy, queued, &facts, q->created, &grant, &requester, &failure,
                             e) != 0 ||
        check_approved(ca, q, registration, &grant, e) != 0) {
        return -1;
    }
    return policy_same(&grant, span_of(q->serial, sizeof(q->serial)), buf_span(&q->tbs), e);
}

/* May it be signed? When not, o->reason says why. -1 is a failure of ours. */
static int
may_resume(struct ca *ca, struct open_op *o, bool *may, struct err *reason, struct err *e)
{
    CLEANUP(buf_free) struct buf evidence = BUF_INIT(ISSUANCE_EVIDENCE_MAX);
    CLEANUP(issuance_registration_free) struct issuance_registration registration = {0};

    *may = false;
    o->reason = "not resolved in time after a restart";
    if (o->request->registration[0] == '\0' || o->request->created > o->now ||
        o->now - o->request->created > INTENT_AGE_MAX_S) {
        return 0;
    }
    o->evidence = &evidence;
    o->registration = &registration;
    o->op = (struct store_op){.run = run_evidence};
    if (store_call(ca->store, &o->op, e) != 0) {
        return -1;
    }
    if (!o->registered || registration.state == ISSUANCE_CANCELLED) {
        o->reason = "not registered any more";
        return 0;
    }
    *may = judge_again(ca, o->request, buf_span(&evidence), &registration, reason) == 0;
    if (!*may) {
        ca_printable(reason->text);
        log_err(LOG_ERROR, "intent-not-resumed", reason, "given up");
        o->reason = reason->text;
    }
    return 0;
}

static int
resolve(struct ca *ca, struct open_op *o, bool *resumed, struct err *e)
{
    CLEANUP(buf_free) struct buf signature = BUF_INIT(SIGNATURE_MAX);
    CLEANUP(buf_free) struct buf certificate = BUF_INIT(1);
    struct err reason = {0};
    int result = 0;

    if (may_resume(ca, o, resumed, &reason, e) != 0) {
        return -1;
    }
    if (*resumed) {
        result =
            signer_sign(ca->issuing, SIGNER_CERTIFICATE, buf_span(&o->request->tbs), &signature, e);
        *resumed = result == 0 || (e->code != ERR_DENIED && e->code != ERR_INPUT);
        o->reason = "the signer refused it";
        if (result != 0 && *resumed) {
            return err_wrap(e, "finish an intent");
        }
    }
    if (*resumed && policy_seal(&ca->policy, buf_span(&o->request->tbs), buf_span(&signature), NULL,
                                &certificate, e) != 0) {
        return -1;
    }
    o->certificate = buf_span(&certificate);
    o->op = (struct store_op){.run = run_resolve};
    return store_call(ca->store, &o->op, e);
}

int
issue_recover(struct ca *ca, int *resumed, int *abandoned, struct err *e)
{
    *resumed = 0;
    *abandoned = 0;
    for (;;) {
        CLEANUP(issuance_request_free) struct issuance_request request = {0};
        struct open_op o = {.op = {.run = run_next_open}, .request = &request, .now = clock_now()};
        bool was_resumed;

        if (store_call(ca->store, &o.op, e) != 0) {
            return -1;
        }
        if (!o.found) {
            return 0;
        }
        if (resolve(ca, &o, &was_resumed, e) != 0) {
            return -1;
        }
        *(was_resumed ? resumed : abandoned) += 1;
    }
}
