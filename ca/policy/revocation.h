/* SPDX-License-Identifier: Apache-2.0 */
/*
 * revocation.h - may who signs an rr have this certificate revoked (RFC 9483 4.2, 5.3.2)?
 *
 * A network function gives its own certificate back; the operator's OAM (a registrar) or an RA
 * revokes one for it. All of it is judged from the requester's octets and ca.db; the RA that passes
 * it on is believed in nothing. Pure, as policy.h. Private to nfpki-ca.
 */
#pragma once

#include <time.h>

#include "ca/cmp/message/revoke.h"
#include "ca/cmp/queue.h"
#include "ca/trust/trust.h"
#include "db/issuance/issuance.h"

/* Everything is borrowed during the call. */
struct revocation_question {
    const struct cmp_queued *queued;      /* with an rr inside */
    const struct cmp_revreq *asked;       /* what cmp_revreq_read() made of it, */
    enum cmp_failure malformed;           /* or why that could not be read, which is said when it */
    const struct err *why;                /* is known who asks; CMP_NO_FAILURE: it was read */
    const struct issuance_holder *holder; /* of the certificate that signs; NULL: none of ours */
    const struct issuance_target *target; /* what is to be revoked; NULL: no certificate of ours */
    const struct trust *trust;
    time_t now;
};

/* 0 with *by, in whose name it is revoked, for the record (mem_free() it); or -1. */
int revocation_judge(const struct revocation_question *, char **by, enum cmp_failure *failure,
                     struct err *e);
