/* SPDX-License-Identifier: Apache-2.0 */
/* brought.h - what --issuer and --crl name: what signed, and what was signed and is not in the
 * ledger itself. */
#pragma once

#include "db/audit/check/record.h"
#include "db/audit/verify.h"

int brought_issuers(struct audit_issuers *, struct err *e);
int brought_crls(struct record *, struct err *e);
