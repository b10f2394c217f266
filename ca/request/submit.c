/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/request/submit.h"

#include <limits.h>

#include "ca/publish/operation.h"
#include "ca/request/kind/officer.h"
#include "ca/request/stages.h"
#include "ca/x509/csr.h"

void
request_submit(struct ca *ca, link_peer peer, const struct link_message *m)
{
    struct flight *busy = NULL;
    struct flight *flight = ca_flight_begin(ca, m->id, peer, &busy);
    struct request *r;

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
    r = request_new(ca, flight, m->body);
    r->ras = ca_ras_hold(ca);
    requests_enter(ca->requests, r, STAGE_OPEN);
}

void
request_officer(struct ca *ca, struct admin_call *call, const json_t *request)
{
    const char *csr = json_string_value(json_object_get(request, "csr"));
    const char *profile = json_string_value(json_object_get(request, "profile"));
    const char *common_name = json_string_value(json_object_get(request, "commonName"));
    json_int_t days = json_integer_value(json_object_get(request, "days"));
    struct flight *busy = NULL;
    struct flight *flight;
    CLEANUP(csr_cleanup) struct csr *parsed = NULL;
    uint8_t rid[SHA256_SIZE];
    struct request *r;
    struct err e = {0};

    admin_about(call, profile);
    if (csr == NULL || profile == NULL || common_name == NULL || days < INT_MIN || days > INT_MAX) {
        (void)err_set(&e, ERR_INPUT, "issue: csr, profile, commonName and days are needed");
        operation_refuse(ca, call, &e);
        return;
    }
    parsed = csr_parse(span_str(csr), &e);
    if (parsed == NULL || sha256(csr_der(parsed), rid, &e) != 0) {
        operation_refuse(ca, call, &e);
        return;
    }
    flight = ca_flight_begin(ca, span_of(rid, sizeof(rid)), 0, &busy);
    if (flight == NULL) {
        (void)err_set(&e, ERR_BUSY, "this request is being worked on");
        operation_refuse(ca, call, &e);
        return;
    }
    r = request_new(ca, flight, csr_der(parsed));
    r->call = call;
    request_be_officers(r, profile, common_name, (int)days);
    requests_enter(ca->requests, r, STAGE_LOOK);
}
