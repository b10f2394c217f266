/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/request/kind/request.h"

struct request *
request_new(struct ca *ca, struct flight *flight, struct span asked)
{
    struct request *r = mem_new(sizeof(*r));
    struct err e = {0};

    r->ca = ca;
    r->flight = flight;
    r->failure = CMP_NO_FAILURE;
    r->asked = BUF_INIT(ISSUANCE_EVIDENCE_MAX);
    if (buf_set(&r->asked, asked, &e) != 0) {
        ca_die(&e, "a request"); /* the link's limit is below ours */
    }
    ca->jobs++;
    return r;
}

void
request_free(struct ca *ca, struct request *r)
{
    ca_flight_end(ca, r->flight);
    if (r->ras != NULL) {
        ca_ras_drop(r->ras);
    }
    if (r->kind != NULL && r->kind->clear != NULL) {
        r->kind->clear(r->facts);
    }
    mem_free(r->facts);
    cmp_queued_free(r->queued);
    issuance_registration_free(&r->registration);
    issuance_request_free(&r->row);
    policy_grant_free(&r->grant);
    buf_free(&r->asked);
    buf_free(&r->inclusion);
    buf_free(&r->sign.signature);
    buf_free(&r->certificate);
    mem_free(r);
    ca->jobs--;
}

void
request_be(struct request *r, const struct kind *kind)
{
    r->kind = kind;
    r->facts = mem_new(kind->size);
}

struct span
request_rid(const struct request *r)
{
    return span_of(r->flight->rid, sizeof(r->flight->rid));
}

struct span
request_ra_der(const struct request *r)
{
    return cmp_queued_ra(r->queued);
}
