/* SPDX-License-Identifier: Apache-2.0 */
/*
 * crl.h - what is on a CRL is what the record says is revoked (version 2 of the record;
 * db/LEDGER.md): a CRL-INTENT has the number and the digest of the entries that follow from the
 * leaves before it, looks at every one of them that is before the CRL before, and leaves out only
 * what a CRL had beyond its end. A REVOKED is dated when it is recorded, and comes once. No serial
 * number of a certificate that can be on a CRL is intended again.
 *
 * Memory: the serial numbers that can still be on a CRL; with a past (past.h) those that are
 * revoked.
 */
#pragma once

#include "db/audit/rules/past.h"
#include "db/audit/rules/state.h"
#include "db/ledger/leaf.h"

struct audit_crls;
void audit_crls_free(struct audit_crls *);
struct audit_crls *audit_crls_new(void) OWNED(audit_crls_free);

/* The next leaf, in a record of this version. ERR_CRYPTO with the rule that it breaks. */
int audit_crls_check(struct audit_crls *, int64_t version, const struct leaf *, struct err *e);

/* Before the first leaf; borrowed. NULL: what must be known is remembered here. */
void audit_crls_use(struct audit_crls *, const struct audit_past *);
/* Without what the past knows: audit_crls_load() asks for that behind it. */
void audit_crls_state(struct audit_crls *, struct state *);
int audit_crls_load(struct audit_crls *, struct err *e);
