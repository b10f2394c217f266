/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ra_signed.h - is this text what an RA signed: one whose certificate is good at that place of the
 * record, with the key that the text names, for this CA? Private to the rules that ask it of heads
 * of queues (attested.h) and of reports (reported.h).
 */
#pragma once

#include "base/ossl.h"
#include "db/audit/rules/holder.h"

struct audit_ra_text {
    const char *what;   /* "QUEUE-HEAD" */
    struct span text;   /* that is signed, */
    const uint8_t *key; /* the key that it names, SHA256_SIZE octets, */
    const uint8_t *ca;  /* and the issuing certificate */
};

/* The RA's certificate, when it is good at this place of the record; NULL. */
X509 *audit_ra_good(const struct audit_holders *ras, const char *serial, time_t at);
/* By the members `ra` and `signature` of the leaf; `issuer` is that of the last START. ERR_CRYPTO.
 */
int audit_ra_signed_check(const struct audit_holders *ras, const struct leaf *,
                          const struct audit_ra_text *, const char *issuer, struct err *e);
