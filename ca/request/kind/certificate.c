/* SPDX-License-Identifier: Apache-2.0 */
/* A network function's certificate: ir, cr, p10cr, kur (RFC 9483 4.1). */
#include "ca/policy/registered.h"
#include "ca/request/kind/approval.h"
#include "ca/request/kind/holder.h"
#include "ca/request/kind/intent.h"
#include "ca/request/kind/refusal.h"

struct certificate_facts {
    struct request_holder holder;
    struct approval_facts approval;
    X509 *requester; /* whose certificate protects it; NULL: a MAC */
};

static void
clear(void *facts)
{
    struct certificate_facts *f = facts;

    X509_free(f->requester);
    approval_facts_free(&f->approval);
}

static enum request_stage
read_request(struct request *r)
{
    struct certificate_facts *f = r->facts;

    return request_holder_read(r, &f->holder) != 0 ? request_refuse(r) : STAGE_LOOK;
}

/* ---- look ---- */

static int
look(struct request *r, struct store_db *db, enum request_stage *next, struct err *e)
{
    struct certificate_facts *f = r->facts;

    if (request_holder_look(&f->holder, db, e) != 0) {
        return -1;
    }
    if (!r->is_known) {
        return approval_look(r, &f->approval, db, next, e);
    }
    if (r->queued == NULL) { /* its RA's signature does not stand any more */
        *next = request_give_up(r, NULL);
        return 0;
    }
    return intent_look(r, db, next, e) != 0 ? -1 : approval_look_again(r, &f->approval, db, e);
}

/* ---- judge ---- */

static int
judge_at(struct request *r, time_t at, bool *approved)
{
    struct certificate_facts *f = r->facts;
    const struct policy_facts facts = {.json = buf_span(&r->registration.json),
                                       .registered = r->registration.registered,
                                       .holder = request_holder_of(&f->holder)};

    r->failure = CMP_NOT_AUTHORIZED;
    if (registered_check(r->ca->registered, &r->ca->policy,
                         cmp_queued_entry(r->queued)->registration_id, &r->registration,
                         &r->e) != 0 ||
        policy_grant_request(&r->ca->policy, r->queued, &facts, at, &r->grant, &f->requester,
                             &r->failure, &r->e) != 0) {
        return -1;
    }
    r->failure = CMP_NOT_AUTHORIZED;
    return approval_judge(r, &f->approval, at, approved, &r->e);
}

/* What is in the file is signed only when what the RA and the requester signed leads to it again:
 * an intent could have been written by somebody who can write the file and nothing else. */
static int
check_intent(struct request *r)
{
    const struct certificate_facts *f = r->facts;
    const struct issuance_request *row = &r->row;
    bool approved;

    r->grant.request.not_before = row->not_before;
    if (judge_at(r, row->created, &approved) != 0) {
        return -1;
    }
    if (!approved) {
        return err_set(&r->e, ERR_DENIED, "not approved by %d officers", f->approval.demanded);
    }
    return policy_same(&r->grant, span_of(row->serial, sizeof(row->serial)), buf_span(&row->tbs),
                       &r->e);
}

static enum request_stage
judge_intent(struct request *r)
{
    if (check_intent(r) == 0) {
        return STAGE_LOG_INTENT;
    }
    if (r->failure == CMP_SYSTEM_FAILURE && r->opened_at == 0) {
        return request_defer(r);
    }
    log_err(LOG_ERROR, "intent-not-resumed", &r->e, "given up");
    return request_give_up(r, NULL);
}

static enum request_stage
judge(struct request *r)
{
    bool approved;

    if (r->is_known) {
        return judge_intent(r);
    }
    if (judge_at(r, r->now, &approved) != 0) {
        return request_refuse(r);
    }
    if (!approved) {
        r->outcome = OUTCOME_WAITING;
        return STAGE_RECORD;
    }
    return STAGE_INTEND;
}

/* ---- intend, record ---- */

static int
fill_requester(const struct certificate_facts *f, uint8_t fingerprint[SHA256_SIZE],
               struct issuance_intent *i, struct err *e)
{
    CLEANUP(buf_free) struct buf der = BUF_INIT(CMP_MESSAGE_MAX);

    if (f->requester != NULL && (OSSL_ENCODE(X509, f->requester, &der, e) != 0 ||
                                 sha256(buf_span(&der), fingerprint, e) != 0)) {
        return -1;
    }
    i->assurance = f->requester != NULL ? ISSUANCE_SIGNATURE : ISSUANCE_MAC;
    i->requester = span_of(fingerprint, f->requester != NULL ? SHA256_SIZE : 0);
    return 0;
}

/* What takes the place of something does so when it is confirmed, so its certConf must come. */
static enum issuance_confirm
confirm_of(const struct request *r)
{
    if (r->grant.renewal.is_update || r->grant.registration.supersedes[0] != '\0') {
        return ISSUANCE_REQUIRED;
    }
    return cmp_msg_implicit_confirm(cmp_queued_inner(r->queued)) &&
                   r->grant.request.profile->implicit_confirm
               ? ISSUANCE_IMPLICIT
               : ISSUANCE_EXPECTED;
}

/* What the RA signed of it; NULL: it is wrapped as RAs did before. */
static const struct issuance_attested *
attested_of(const struct request *r, struct issuance_attested *out)
{
    const struct cmp_submission *s = cmp_queued_submission(r->queued);

    if (s == NULL) {
        return NULL;
    }
    *out = (struct issuance_attested){
        .entry = s->entry, .path = s->path, .head = s->head, .signature = s->signature};
    return out;
}

/* The row that the grant makes. Borrows from the request, from `fingerprint` and `attested`. */
static int
fill_intent(const struct request *r, uint8_t fingerprint[SHA256_SIZE],
            struct issuance_attested *attested, struct issuance_intent *i, struct err *e)
{
    const struct certificate_facts *f = r->facts;
    const struct cmp_msg *inner = cmp_queued_inner(r->queued);

    *i = intent_of_grant(r);
    i->attested = attested_of(r, attested);
    i->approvals = f->approval.demanded;
    i->profile_file = span_of(r->ca->profile_file, SHA256_SIZE);
    i->registration = r->registration.id;
    i->ra_der = request_ra_der(r);
    i->nf_instance = r->grant.registration.nf.instance_id;
    i->certificates = r->grant.registration.certificates;
    i->retry_rejected = r->ca->conf.retry_rejected;
    i->transaction_id = cmp_msg_transaction_id(inner);
    i->queue_sequence = r->queue_sequence;
    i->queue_previous = span_of(r->queue_previous, sizeof(r->queue_previous));
    i->cert_req_id = r->grant.cert_req_id;
    if (f->holder.is_held) {
        i->holder = span_of(f->holder.serial, sizeof(f->holder.serial));
    }
    if (r->grant.renewal.replaces) {
        i->renews = i->holder;
    }
    i->is_update = r->grant.renewal.is_update;
    i->confirm = confirm_of(r);
    if (!cmp_msg_time(inner, &i->message_time)) {
        i->message_time = 0;
    }
    i->shows[0] = r->grant.shown.certificate;
    i->shows[1] = r->grant.shown.public_key;
    i->shows[2] = r->grant.shown.vendor;
    i->made = r->grant.made.at;
    i->made_by_requester = r->grant.made.by_requester;
    if (!r->ca->conf.revoke_unconfirmed) {
        i->kept_before = r->now - r->ca->conf.confirm_wait_s;
    }
    return fill_requester(f, fingerprint, i, e);
}

static int
intend(struct request *r, struct store_db *db, enum request_stage *next, struct err *e)
{
    uint8_t fingerprint[SHA256_SIZE];
    struct issuance_attested attested;
    struct issuance_intent i;

    return fill_intent(r, fingerprint, &attested, &i, e) != 0 ? -1
                                                              : intent_store(r, db, &i, next, e);
}

static int
record(struct request *r, struct store_db *db, struct err *e)
{
    struct certificate_facts *f = r->facts;
    uint8_t fingerprint[SHA256_SIZE];
    struct issuance_attested attested;
    struct issuance_intent i;

    if (r->outcome != OUTCOME_WAITING) {
        return intent_issue(r, db, e);
    }
    return fill_intent(r, fingerprint, &attested, &i, e) != 0
               ? -1
               : approval_pend(r, &f->approval, db, &i, e);
}

static int
refuse(struct request *r, struct store_db *db, struct err *e)
{
    if (r->is_known) {
        return intent_abandon(r, db, e);
    }
    return r->waited ? approval_refuse(r, db, e) : request_record_first(r, db, e);
}

const struct kind kind_certificate = {
    .name = "",
    .size = sizeof(struct certificate_facts),
    .closed = CMP_BAD_REQUEST,
    .rests_on_what_is_registered = true,
    .read = read_request,
    .look = look,
    .judge = judge,
    .intend = intend,
    .record = record,
    .refuse = refuse,
    .clear = clear,
};
