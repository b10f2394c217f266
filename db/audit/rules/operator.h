/* SPDX-License-Identifier: Apache-2.0 */
/*
 * operator.h - who worked the CA, and with what, is said (version 6 of the record): an INTENT
 * without a network function, and an APPROVAL, say who asked; an OPERATION says how it ended; a
 * CEREMONY what its bundle is; a START which root and log key there are.
 *
 * Memory: the heads of ceremonies.
 */
#pragma once

#include "db/audit/rules/state.h"
#include "db/ledger/leaf.h"

struct audit_operators;
void audit_operators_free(struct audit_operators *);
struct audit_operators *audit_operators_new(void) OWNED(audit_operators_free);

/* The next leaf, in a record of this version; `adopted`: an INTENT behind ADOPTED, for which nobody
 * asked. ERR_CRYPTO with the rule that it breaks. */
int audit_operators_check(struct audit_operators *, int64_t version, const struct leaf *,
                          bool adopted, struct err *e);
void audit_operators_state(struct audit_operators *, struct state *);
