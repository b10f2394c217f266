/* SPDX-License-Identifier: Apache-2.0 */
/*
 * requester.h - who asks: is it the registered network function, by the proof that was registered
 * or by a certificate of ours that came of it (RFC 9483 4.1.2 to 4.1.4)?
 *
 * Pure, as policy.h. Private to nfpki-ca.
 */
#pragma once

#include <time.h>

#include "ca/cmp/certreq.h"
#include "ca/cmp/queue.h"
#include "ca/policy/renew.h"
#include "ca/registration/registration.h"
#include "ca/trust/trust.h"

/* A first message; everything is borrowed during the call. */
struct requester_question {
    const struct cmp_queued *queued;
    const struct cmp_certreq *asked;
    const struct registration *registration; /* that the entry names */
    const struct issuance_holder *holder;    /* of the certificate that signs; NULL: none of ours */
    const struct trust *trust;
    const struct renew_rules *renew;
    time_t now;
};

/* Protection and path, and the right to what is asked. `renewal` is set when a certificate of ours
 * signs, else it stays. *requester is the certificate that protects the request, also when this is
 * refused (freed by the caller); NULL with a MAC. */
int requester_check(const struct requester_question *, struct renewal *renewal, X509 **requester,
                    enum cmp_failure *failure, struct err *e);
