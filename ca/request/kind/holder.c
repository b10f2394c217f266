/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/request/kind/holder.h"

int
request_holder_read(struct request *r, struct request_holder *h)
{
    if (policy_holder_serial(&r->ca->policy, cmp_queued_inner(r->queued), h->serial, &h->der,
                             &r->e) != 0) {
        r->failure = CMP_SYSTEM_FAILURE;
        return -1;
    }
    return 0;
}

int
request_holder_look(struct request_holder *h, struct store_db *db, struct err *e)
{
    return h->der.n == 0 ? 0
                         : issuance_holder_find(db, span_of(h->serial, sizeof(h->serial)), h->der,
                                                &h->row, &h->is_held, e);
}

const struct issuance_holder *
request_holder_of(const struct request_holder *h)
{
    return h->is_held ? &h->row : NULL;
}
