/* SPDX-License-Identifier: Apache-2.0 */
/* brought.h - what --issuer, --vendor and --crl name: what signed, and what was signed and is not
 * in the ledger itself. */
#pragma once

#include <openssl/x509.h>

#include "db/audit/check/record.h"
#include "db/audit/verify.h"

int brought_issuers(struct audit_issuers *, struct err *e);
/* Owned by who has the stack: brought_free(), for CLEANUP. */
int brought_vendors(STACK_OF(X509) * roots, struct err *e);
void brought_free(STACK_OF(X509) **);
int brought_crls(struct record *, struct err *e);
