/* SPDX-License-Identifier: Apache-2.0 */
/*
 * renewal.h - updates of certificates (kur, RFC 9483 4.1.3): one at a time, what an update
 * supersedes is superseded by its confirmation and not before, and what is answered again is the
 * update that waits for its confirmation, to a newer request. Private to rules.c.
 *
 * Memory: the updates that wait for their confirmation.
 */
#pragma once

#include "db/audit/rules/state.h"
#include "db/ledger/leaf.h"

struct audit_renewals;
void audit_renewals_free(struct audit_renewals *);
struct audit_renewals *audit_renewals_new(void) OWNED(audit_renewals_free);

/* The next leaf. ERR_CRYPTO with the rule that it breaks. */
int audit_renewals_check(struct audit_renewals *, const struct leaf *, struct err *e);
void audit_renewals_state(struct audit_renewals *, struct state *);
