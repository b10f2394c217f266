/* SPDX-License-Identifier: Apache-2.0 */
/* certConf (RFC 9483 4.1.1): the network function takes its certificate, or does not. */
#include "ca/policy/confirmation.h"

#include "ca/request/kind/refusal.h"

struct confirmation_facts {
    struct issuance_request first; /* the request that it is about, */
    struct buf first_evidence;     /* and what that came with */
    struct cmp_certconf confirmation;
    char *reason; /* of a rejection */
};

static void
clear(void *facts)
{
    struct confirmation_facts *f = facts;

    issuance_request_free(&f->first);
    buf_free(&f->first_evidence);
    mem_free(f->reason);
}

static enum request_stage
read_confirmation(struct request *r)
{
    (void)r;
    return STAGE_LOOK;
}

/* ---- look ---- */

/* May what was found still be confirmed? */
static enum request_stage
check_state(struct request *r, bool found)
{
    const struct confirmation_facts *f = r->facts;

    switch (found ? f->first.state : ISSUANCE_REFUSED) {
    case ISSUANCE_ISSUED:
        return STAGE_JUDGE;
    case ISSUANCE_REJECTED:
        (void)phrase_refuse(&r->failure, PHRASE_NOT_KEPT, &r->e,
                            "certConf: the certificate was rejected, replaced or given up");
        break;
    case ISSUANCE_CONFIRMED:
        r->failure = CMP_CERT_CONFIRMED;
        (void)err_set(&r->e, ERR_DENIED,
                      "certConf: the certificate is confirmed or rejected already");
        break;
    case ISSUANCE_INTENT:
    case ISSUANCE_REFUSED:
    case ISSUANCE_ABANDONED:
        (void)phrase_refuse(&r->failure, PHRASE_NOTHING_TO_CONFIRM, &r->e,
                            "certConf: nothing waits for a confirmation");
        break;
    }
    return request_refuse(r);
}

static int
look(struct request *r, struct store_db *db, enum request_stage *next, struct err *e)
{
    struct confirmation_facts *f = r->facts;
    const struct span transaction = cmp_msg_transaction_id(cmp_queued_inner(r->queued));
    bool found;

    if (issuance_confirmation_find(db, request_rid(r), &r->leaf, &found, e) != 0) {
        return -1;
    }
    if (found) {
        r->outcome = OUTCOME_CONFIRMED;
        *next = STAGE_LOG;
        return 0;
    }
    if (issuance_find_transaction(db, r->registration.id, transaction, &f->first, &found, e) != 0) {
        return -1;
    }
    *next = check_state(r, found);
    if (*next != STAGE_JUDGE) {
        return 0;
    }
    f->first_evidence = BUF_INIT(ISSUANCE_EVIDENCE_MAX);
    return issuance_evidence(db, span_of(f->first.rid, sizeof(f->first.rid)), &f->first_evidence,
                             e);
}

/* ---- judge ---- */

static enum request_stage
judge(struct request *r)
{
    struct confirmation_facts *f = r->facts;
    CLEANUP(cmp_queued_cleanup)
    struct cmp_queued *first = cmp_queued_parse(buf_span(&f->first_evidence), &r->e);

    r->failure = CMP_SYSTEM_FAILURE;
    if (first == NULL || confirmation_judge(r->queued, first, f->first.assurance == ISSUANCE_MAC,
                                            f->first.cert_req_id, buf_span(&f->first.certificate),
                                            &f->confirmation, &r->failure, &r->e) != 0) {
        return request_refuse(r);
    }
    f->reason = mem_printf("rejected by the network function: %s", f->confirmation.status.text);
    ca_printable(f->reason);
    return STAGE_RECORD;
}

/* ---- record ---- */

static int
record(struct request *r, struct store_db *db, struct err *e)
{
    const struct confirmation_facts *f = r->facts;
    const struct issuance_confirmation c = {
        .rid = request_rid(r),
        .ra_der = request_ra_der(r),
        .request = span_of(f->first.rid, sizeof(f->first.rid)),
        .accepted = f->confirmation.accepted,
        .evidence = buf_span(&r->asked),
        .reason = f->reason,
        .when = ca_when(r->ca, r->now),
    };
    enum issuance_outcome outcome;

    if (issuance_confirm(db, &c, &r->leaf, &r->revoked, &outcome, e) != 0) {
        return -1;
    }
    if (outcome != ISSUANCE_DONE && outcome != ISSUANCE_KNOWN) {
        return request_record_no(r, db, NULL, outcome, e);
    }
    r->revoked = r->revoked && outcome == ISSUANCE_DONE; /* this one, or what it supersedes */
    r->outcome = OUTCOME_CONFIRMED;
    return 0;
}

const struct kind kind_confirmation = {
    .name = "certConf: ",
    .size = sizeof(struct confirmation_facts),
    .closed = CMP_CERT_CONFIRMED,
    .read = read_confirmation,
    .look = look,
    .judge = judge,
    .record = record,
    .clear = clear,
};
