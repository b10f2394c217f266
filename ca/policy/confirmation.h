/* SPDX-License-Identifier: Apache-2.0 */
/*
 * confirmation.h - is this the certConf of that request, and does it take the certificate?
 *
 * Pure, as policy.h. Private to nfpki-ca.
 */
#pragma once

#include "ca/cmp/message/body.h"
#include "ca/cmp/queue.h"

/* A certConf for `certificate`, in DER: protected with the credential of the first message
 * (`first`, the queue entry that began the transaction; `by_mac`: its assurance). */
int confirmation_judge(const struct cmp_queued *, const struct cmp_queued *first, bool by_mac,
                       int cert_req_id, struct span certificate, struct cmp_certconf *out,
                       enum cmp_failure *failure, struct err *e);
