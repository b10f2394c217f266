/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/request/open.h"

#include <stdio.h>
#include <string.h>

#include "ca/request/kind/intent.h"
#include "ca/request/kind/refusal.h"

/* What an RA may submit: a request for a certificate, its confirmation, a request for a revocation.
 */
static const struct kind *
kind_of(enum cmp_body body)
{
    switch (body) {
    case CMP_IR:
    case CMP_CR:
    case CMP_P10CR:
    case CMP_KUR:
        return &kind_certificate;
    case CMP_RR:
        return &kind_revocation;
    case CMP_CERTCONF:
        return &kind_confirmation;
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
        return NULL;
    }
    return NULL;
}

/* Nobody whom we know stands for it, so it changes nothing here; nor is the network function at
 * fault. But what waits for officers may be too late by now, and an intent is given up. */
static enum request_stage
not_opened(struct request *r)
{
    if (!r->is_due) {
        return request_defer(r);
    }
    request_be(r, &kind_certificate);
    return STAGE_LOOK;
}

/* Its place in the RA's queue is what the RA signed; of a wrapper of before nobody signed it. */
static void
take_place(struct request *r)
{
    const struct span head = cmp_queued_head_hash(r->queued);

    if (head.n == sizeof(r->queue_previous)) {
        r->queue_sequence = cmp_queued_sequence(r->queued);
        memcpy(r->queue_previous, head.p, head.n);
    }
}

/* Wrapped by itself, as RAs did before, is what ca.db has from then; nobody hands that in any more.
 */
static enum request_stage
not_submitted(struct request *r)
{
    r->failure = CMP_BAD_DATA_FORMAT;
    (void)err_set(&r->e, ERR_INPUT,
                  "queue entry: no Submission of version 2: the RA and the CA are of different "
                  "versions, install the same");
    return request_defer(r);
}

enum request_stage
request_open(struct request *r)
{
    const struct kind *kind;
    enum cmp_body body;

    if (!r->is_due && !cmp_submission_is(buf_span(&r->asked))) {
        return not_submitted(r);
    }
    r->queued =
        policy_open(&r->ca->policy, buf_span(&r->asked), request_rid(r), r->ras->list, r->ras->n,
                    r->opened_at != 0 ? r->opened_at : r->now, &r->failure, &r->e);
    if (r->queued == NULL) {
        return not_opened(r);
    }
    r->stood_for = true;
    take_place(r);
    body = cmp_msg_body(cmp_queued_inner(r->queued));
    kind = kind_of(body);
    if (kind == NULL) {
        r->failure = CMP_BAD_REQUEST;
        (void)err_set(&r->e, ERR_DENIED, "%s is not done here", cmp_body_name(body));
        return request_refuse(r);
    }
    request_be(r, kind);
    return kind->read(r);
}

static int
look_registration(struct request *r, struct store_db *db, enum request_stage *next, struct err *e)
{
    const char *id = cmp_queued_entry(r->queued)->registration_id;

    (void)snprintf(r->registration.id, sizeof(r->registration.id), "%s", id);
    if ((r->kind->rests_on_what_is_registered
             ? issuance_registration_find(db, id, &r->registration, &r->is_registered, e)
             : issuance_is_registered(db, id, &r->is_registered, e)) != 0) {
        return -1;
    }
    if (!r->is_registered) {
        (void)phrase_refuse(&r->failure, PHRASE_NOT_REGISTERED, &r->e, "no such registration");
        *next = request_refuse(r);
    }
    return 0;
}

int
request_look(struct request *r, struct store_db *db, enum request_stage *next, struct err *e)
{
    if (issuance_find(db, request_rid(r), &r->row, &r->is_known, e) != 0) {
        return -1;
    }
    if (r->is_known && r->row.state != ISSUANCE_INTENT && r->call == NULL) {
        *next = intent_answer_again(r); /* the same octets get the same answer */
        return 0;
    }
    if (r->queued != NULL && look_registration(r, db, next, e) != 0) {
        return -1;
    }
    return r->outcome == OUTCOME_REFUSED ? 0 : r->kind->look(r, db, next, e);
}
