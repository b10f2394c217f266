/* SPDX-License-Identifier: Apache-2.0 */
/* rr (RFC 9483 4.2, 5.3.2): from the look to the record and the CRL; ca/policy/revocation.h judges
 * it. */
#include "ca/policy/revocation.h"

#include "ca/request/kind/holder.h"
#include "ca/request/kind/refusal.h"

struct revocation_facts {
    struct cmp_revreq asked;
    enum cmp_failure malformed; /* why it could not be read; it is said when we know who asks */
    struct err why;
    struct request_holder holder;
    struct issuance_target target;
    bool is_target;
    char *by; /* in whose name, for the leaf */
};

static void
clear(void *facts)
{
    struct revocation_facts *f = facts;

    issuance_target_free(&f->target);
    mem_free(f->by);
}

static enum request_stage
read_revocation(struct request *r)
{
    struct revocation_facts *f = r->facts;
    const struct cmp_msg *inner = cmp_queued_inner(r->queued);

    if (request_holder_read(r, &f->holder) != 0) {
        return request_refuse(r);
    }
    (void)cmp_revreq_read(inner, r->ca->policy.name, &f->asked, &f->malformed, &f->why);
    return STAGE_LOOK;
}

static int
look(struct request *r, struct store_db *db, enum request_stage *next, struct err *e)
{
    struct revocation_facts *f = r->facts;
    bool found;

    if (issuance_asked_find(db, request_rid(r), &r->leaf, &found, e) != 0) {
        return -1;
    }
    if (found) {
        r->outcome = OUTCOME_REVOKED;
        *next = STAGE_LOG;
        return 0;
    }
    *next = STAGE_JUDGE;
    if (f->malformed == CMP_NO_FAILURE &&
        issuance_target_find(db, span_of(f->asked.serial, f->asked.serial_size), &f->target,
                             &f->is_target, e) != 0) {
        return -1;
    }
    return request_holder_look(&f->holder, db, e);
}

static enum request_stage
judge(struct request *r)
{
    struct revocation_facts *f = r->facts;
    const struct revocation_question q = {.queued = r->queued,
                                          .asked = &f->asked,
                                          .malformed = f->malformed,
                                          .why = &f->why,
                                          .holder = request_holder_of(&f->holder),
                                          .target = f->is_target ? &f->target : NULL,
                                          .trust = r->ca->policy.trust,
                                          .now = r->now};

    return revocation_judge(&q, &f->by, &r->failure, &r->e) != 0 ? request_refuse(r) : STAGE_RECORD;
}

static int
record(struct request *r, struct store_db *db, struct err *e)
{
    const struct revocation_facts *f = r->facts;
    const struct issuance_asked a = {
        .rid = request_rid(r),
        .ra_der = request_ra_der(r),
        .holder = span_of(f->holder.serial, sizeof(f->holder.serial)),
        .serial = span_of(f->asked.serial, f->asked.serial_size),
        .reason = f->asked.reason,
        .by = f->by,
        .has_invalidity = f->asked.has_invalidity,
        .invalidity_date = f->asked.invalidity_date,
        .evidence = buf_span(&r->asked),
        .when = ca_when(r->ca, r->now),
    };
    enum issuance_outcome outcome;

    if (issuance_revoke_asked(db, &a, &r->leaf, &outcome, e) != 0) {
        return -1;
    }
    if (outcome != ISSUANCE_DONE && outcome != ISSUANCE_KNOWN) {
        return request_record_no(r, db, NULL, outcome, e);
    }
    r->revoked = outcome == ISSUANCE_DONE;
    r->outcome = OUTCOME_REVOKED;
    return 0;
}

/* What the network function hears is what relying parties can see by then. */
const struct kind kind_revocation = {
    .name = "rr: ",
    .size = sizeof(struct revocation_facts),
    .closed = CMP_BAD_CERT_ID,
    .awaits_crl = true,
    .read = read_revocation,
    .look = look,
    .judge = judge,
    .record = record,
    .clear = clear,
};
