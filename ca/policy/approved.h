/* SPDX-License-Identifier: Apache-2.0 */
/*
 * approved.h - how many officers have approved a request, by what they signed.
 *
 * Rows could have been edited in the file, so each approval's signature, path and content is
 * verified again before a certificate rests on it. The registrar of the network function does not
 * count among its officers: four eyes. Private to nfpki-ca.
 */
#pragma once

#include "ca/policy/policy.h"
#include "ca/registration/approval.h"
#include "db/issuance/life/approval.h"

enum { APPROVED_MAX = 32 };

/* What ca.db has; free with approved_free(). */
struct approved {
    size_t n;
    struct {
        struct buf cms;
        struct buf officer; /* serial of the certificate */
        time_t created;
    } list[APPROVED_MAX];
};
void approved_free(struct approved *);
/* In a store operation: the approvals of this request by who is an officer and not revoked. `out`
 * is all zero before. */
int approved_load(struct store_db *, struct span rid, struct approved *out, struct err *e);

/* Different officers who approved exactly `request` and whose approvals have not expired at `now`.
 * `row` is the registration that the request is under. Pure. */
int approved_count(const struct policy *, const struct issuance_registration *row,
                   const struct approval *request, const struct approved *, time_t now, int *count,
                   struct err *e);

/* The request as its approvals must name it: of a row, and of what is judged now. */
void approved_request_of_row(const struct issuance_pending *, struct approval *out);
void approved_request_of_grant(struct span rid, const char *registration,
                               const struct policy_grant *, struct approval *out);
/* Whoever registered the network function does not decide about it. ERR_DENIED. */
int approved_check_eyes(const struct policy *, const struct issuance_registration *,
                        const X509 *officer, struct err *e);
