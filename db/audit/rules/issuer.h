/* SPDX-License-Identifier: Apache-2.0 */
/*
 * issuer.h - what the issuing key signed verifies with it: each certificate in an ISSUED, and CRLs
 * that the auditor has, which the record names by number and hash. The record has only the hash of
 * an issuing certificate, in each START; so whoever verifies brings it, and it is believed when a
 * START names it.
 *
 * Without it nothing is verified here, and that is counted.
 */
#pragma once

#include <openssl/x509.h>

#include "db/ledger/leaf.h"

struct audit_issuers;
void audit_issuers_free(struct audit_issuers *);
struct audit_issuers *audit_issuers_new(void) OWNED(audit_issuers_free);
DEFINE_CLEANUP(audit_issuers_cleanup, struct audit_issuers, audit_issuers_free)

/* Before the first leaf; `name` for errors, copied. A certificate, and a CRL in DER. ERR_INPUT for
 * a CRL that is none. */
int audit_issuers_add(struct audit_issuers *, const char *name, X509 *, struct err *e);
int audit_issuers_add_crl(struct audit_issuers *, const char *name, struct span der, struct err *e);

/* Before the first leaf, too: somebody else verifies what the certificates are signed with
 * (lint/judge.h, in threads), and they are counted as verified here. */
void audit_issuers_elsewhere(struct audit_issuers *);

/* The next leaf, of any kind. ERR_CRYPTO with what does not verify. */
int audit_issuers_check(struct audit_issuers *, const struct leaf *, struct err *e);
/* After the last one: ERR_CRYPTO names what was brought and the record knows nothing of. */
int audit_issuers_end(const struct audit_issuers *, struct err *e);

struct audit_signatures {
    size_t verified;   /* certificates, */
    size_t unverified; /* under an issuing certificate that is not there */
    size_t crls;       /* verified, of those that were brought */
};
struct audit_signatures audit_issuers_count(const struct audit_issuers *);
