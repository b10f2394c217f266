/* SPDX-License-Identifier: Apache-2.0 */
/*
 * certificate.h - what the auditor needs to know of the certificate in an ISSUED leaf.
 */
#pragma once

#include "base/ossl.h"
#include "db/ledger/leaf.h"

/* ERR_CRYPTO when the leaf's member is not one certificate. */
X509 *audit_certificate(const struct leaf *, struct err *e) __attribute__((warn_unused_result));
/* The octets of its serial number in lower-case hex. */
char *audit_certificate_serial(const X509 *) OWNED(mem_free);

struct audit_summary {
    char *subject; /* RFC 2253 */
    char *issuer;
    char *names; /* "DNS:..., URI:..."; empty when there are none */
    char *key;   /* "EC P-256" */
    char sha256[2 * SHA256_SIZE + 1];
    char not_before[TIME_TEXT_SIZE];
    char not_after[TIME_TEXT_SIZE];
};
/* Zeroed is empty; for CLEANUP. */
void audit_summary_free(struct audit_summary *);
int audit_summarize(X509 *, struct audit_summary *, struct err *e);
