/* SPDX-License-Identifier: Apache-2.0 */
/*
 * approval.h - what must be true of approvals: whatever waited for officers was intended only
 * after as many of them had approved it, each with a signature that verifies under a certificate
 * that the same record has as an officer's, and that is valid then and not revoked.
 *
 * Memory: the officers, and the requests that wait.
 */
#pragma once

#include "db/audit/rules/state.h"
#include "db/ledger/leaf.h"

struct audit_approvals;
void audit_approvals_free(struct audit_approvals *);
struct audit_approvals *audit_approvals_new(void) OWNED(audit_approvals_free);

/* The next leaf, of any kind. ERR_CRYPTO with the rule that it breaks. */
int audit_approvals_check(struct audit_approvals *, const struct leaf *, struct err *e);
/* Requests that wait. */
size_t audit_approvals_waiting(const struct audit_approvals *);
void audit_approvals_state(struct audit_approvals *, struct state *);
