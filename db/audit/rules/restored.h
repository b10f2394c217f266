/* SPDX-License-Identifier: Apache-2.0 */
/*
 * restored.h - what must be true of a RESTORED leaf: it stands directly behind the leaves that were
 * read back, names their root, and two officers, who were officers by the leaves before, signed a
 * plan that says the same. Of a new log it names the old one, whose checkpoint is over the leaves
 * before; and as many ADOPTED follow as it says. Of an ACKNOWLEDGED, which rests on the same, what
 * acknowledged.h says.
 */
#pragma once

#include "db/audit/rules/state.h"
#include "db/ledger/leaf.h"

struct audit_restored;
void audit_restored_free(struct audit_restored *);
struct audit_restored *audit_restored_new(void) OWNED(audit_restored_free);

/* Leaf by leaf from the first. ERR_CRYPTO. */
int audit_restored_check(struct audit_restored *, const struct leaf *, struct err *e);
/* Before that: is this INTENT of what the leaf before adopts? Its certificate is from another time.
 */
bool audit_restored_adopts(const struct audit_restored *, const struct leaf *);
void audit_restored_state(struct audit_restored *, struct state *);
