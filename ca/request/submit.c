/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/request/submit.h"

#include <string.h>

#include "ca/request/stages.h"

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
    r->queue_sequence = m->sequence;
    memcpy(r->queue_previous, m->previous.p, sizeof(r->queue_previous));
    r->ras = ca_ras_hold(ca);
    requests_enter(ca->requests, r, STAGE_OPEN);
}
