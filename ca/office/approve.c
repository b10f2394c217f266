/* SPDX-License-Identifier: Apache-2.0 */
/*
 *   verify (worker): signature, path, window -> find (store): what it is about -> compare (worker):
 *   binding, four eyes -> decide (store): not revoked, once a person; the leaf -> release -> answer
 *
 * The officer's key never comes here. A rejection is told at once to whoever waits; after the last
 * approval the request is judged again and goes on (waiting.h).
 */
#include "ca/office/approve.h"

#include <string.h>

#include "ca/due/waiting.h"
#include "ca/policy/approved.h"
#include "ca/publish/checkpoint.h"
#include "ca/publish/operation.h"
#include "ca/request/watchers.h"

struct approving {
    struct ca *ca;
    struct admin_call *call;
    struct task work;
    struct store_op op;
    struct release_item release;
    struct buf cms;
    struct approval_signed *verified;
    struct issuance_pending pending;
    struct issuance_registration registration;
    bool is_found;
    enum issuance_outcome outcome;
    uint64_t leaf;
    time_t now;
    int result;
    struct err e;
};

static void
approving_free(struct approving *a)
{
    a->ca->jobs--;
    approval_signed_free(a->verified);
    issuance_pending_free(&a->pending);
    issuance_registration_free(&a->registration);
    buf_free(&a->cms);
    mem_free(a);
}

static void
refuse(struct approving *a)
{
    log_err(LOG_WARNING, "approval-refused", &a->e, "%s", admin_who(a->call));
    operation_refuse(a->ca, a->call, &a->e);
    approving_free(a);
}

static struct span
rid_of(const struct approving *a)
{
    return span_of(a->verified->content.rid, sizeof(a->verified->content.rid));
}

static void
on_worker(struct approving *a, void (*run)(struct task *), void (*done)(struct task *))
{
    a->work = (struct task){.run = run, .done = done};
    pool_submit(a->ca->pool, &a->work);
}

static void
on_store(struct approving *a, int (*run)(struct store_op *, struct store_db *, struct err *),
         void (*done)(struct task *))
{
    a->op = (struct store_op){.run = run, .task = {.done = done}};
    a->now = clock_now();
    store_submit(a->ca->store, &a->op);
}

/* ---- answer ---- */

static const char *
state_of(const struct approving *a)
{
    const struct issuance_pending *p = &a->pending;

    if (!a->verified->content.approves) {
        return "refused";
    }
    return !p->open ? "closed" : p->approved >= p->approvals ? "approved" : "waiting";
}

static void
end(struct release_item *item)
{
    struct approving *a = CONTAINER_OF(item, struct approving, release);
    const struct issuance_pending *p = &a->pending;
    CLEANUP(mem_cleanup) char *rid = hex_dup(rid_of(a));
    bool approves = a->verified->content.approves;
    json_t *answer;
    const struct link_message refusal =
        ca_refusal(rid_of(a), CMP_NOT_AUTHORIZED, phrase_text(PHRASE_NOT_APPROVED));

    if (a->outcome == ISSUANCE_DONE && !approves) {
        watchers_tell(a->ca->watchers, 0, &refusal);
    } else if (p->approved >= p->approvals && p->open) {
        waiting_look(a->ca->waiting);
    }
    answer = json_pack("{s:s,s:s,s:b,s:i,s:i,s:s}", "rid", rid, "decision",
                       approves ? "approve" : "reject", "already", a->outcome == ISSUANCE_KNOWN,
                       "approved", p->approved, "approvals", p->approvals, "state", state_of(a));
    if (a->outcome == ISSUANCE_KNOWN) { /* no leaf says so yet */
        admin_about(a->call, rid);
        operation_answer(a->ca, a->call, answer);
    } else {
        admin_answer(a->call, answer);
    }
    approving_free(a);
}

/* ---- decide ---- */

static int
run_decide(struct store_op *op, struct store_db *db, struct err *e)
{
    struct approving *a = CONTAINER_OF(op, struct approving, op);
    const struct approval_signed *v = a->verified;
    const ASN1_INTEGER *serial = X509_get0_serialNumber(v->officer);
    CLEANUP(buf_free) struct buf der = BUF_INIT(LINK_CERTIFICATE_MAX);
    struct issuance_decision d = {
        .rid = rid_of(a),
        .approves = v->content.approves,
        .officer = span_of(ASN1_STRING_get0_data(serial), (size_t)ASN1_STRING_length(serial)),
        .subject = v->subject,
        .key_sha256 = span_of(v->key_hash, sizeof(v->key_hash)),
        .cms = buf_span(&v->cms),
        .reason = v->content.reason,
        .by = admin_who(a->call),
        .fail_info = CMP_NOT_AUTHORIZED,
        .phrase = phrase_text(PHRASE_NOT_APPROVED),
        .now = a->now,
    };

    if (OSSL_ENCODE(X509, v->officer, &der, e) != 0) {
        return -1;
    }
    d.officer_der = buf_span(&der);
    issuance_pending_free(&a->pending);
    return issuance_decide(db, &d, &a->leaf, &a->pending, &a->outcome, e);
}

static void
on_decided(struct task *task)
{
    struct approving *a = CONTAINER_OF(task, struct approving, op.task);

    ca_check_store(&a->op, "store an approval");
    if (a->outcome == ISSUANCE_DONE || a->outcome == ISSUANCE_KNOWN) {
        log_event(LOG_INFO, "decided", "%s: %s by %s, %d of %d", a->pending.nf_instance,
                  a->verified->content.approves ? "approved" : "rejected", a->verified->subject,
                  a->pending.approved, a->pending.approvals);
        a->release = (struct release_item){.leaf = a->leaf, .released = end};
        release_wait(a->ca->release, &a->release);
        return;
    }
    (void)err_set(&a->e, a->outcome == ISSUANCE_CLOSED ? ERR_CONFLICT : ERR_DENIED, "%s",
                  a->outcome == ISSUANCE_CLOSED
                      ? "nothing waits under this rid any more: see nfpki-audit show"
                      : issuance_outcome_text(a->outcome));
    refuse(a);
}

/* ---- compare ---- */

static void
run_compare(struct task *task)
{
    struct approving *a = CONTAINER_OF(task, struct approving, work);
    struct approval request;

    approved_request_of_row(&a->pending, &request);
    a->result = approval_binds(&a->verified->content, &request, &a->e) != 0 ||
                        approved_check_eyes(&a->ca->policy, &a->registration, a->verified->officer,
                                            &a->e) != 0
                    ? -1
                    : 0;
}

static void
on_compared(struct task *task)
{
    struct approving *a = CONTAINER_OF(task, struct approving, work);

    if (a->result != 0) {
        refuse(a);
        return;
    }
    on_store(a, run_decide, on_decided);
}

/* ---- find ---- */

static int
run_find(struct store_op *op, struct store_db *db, struct err *e)
{
    struct approving *a = CONTAINER_OF(op, struct approving, op);
    bool registered;

    if (issuance_pending_find(db, rid_of(a), &a->pending, &a->is_found, e) != 0) {
        return -1;
    }
    return a->is_found ? issuance_registration_find(db, a->pending.registration, &a->registration,
                                                    &registered, e)
                       : 0;
}

static void
on_found(struct task *task)
{
    struct approving *a = CONTAINER_OF(task, struct approving, op.task);

    ca_check_store(&a->op, "find what an approval is about");
    if (!a->is_found) {
        (void)err_set(&a->e, ERR_NOTFOUND, "nothing waits under this rid: see nfpki-cactl pending");
        refuse(a);
        return;
    }
    on_worker(a, run_compare, on_compared);
}

/* ---- verify ---- */

static void
run_verify(struct task *task)
{
    struct approving *a = CONTAINER_OF(task, struct approving, work);
    const struct policy *p = &a->ca->policy;

    a->verified = approval_verify(buf_span(&a->cms), p->issuing, p->root, clock_now(), &a->e);
}

static void
on_verified(struct task *task)
{
    struct approving *a = CONTAINER_OF(task, struct approving, work);

    if (a->verified == NULL) {
        refuse(a);
        return;
    }
    on_store(a, run_find, on_found);
}

void
approve_officer(struct ca *ca, struct admin_call *call, const json_t *request)
{
    const char *text = json_string_value(json_object_get(request, "cms"));
    struct approving *a = mem_new(sizeof(*a));

    a->ca = ca;
    a->call = call;
    a->cms = BUF_INIT(REGISTRATION_MAX);
    ca->jobs++;
    if (text == NULL || base64_parse(text, &a->cms, &a->e) != 0) {
        (void)err_set(&a->e, ERR_INPUT, "approve: cms is needed, in base64");
        refuse(a);
        return;
    }
    on_worker(a, run_verify, on_verified);
}
