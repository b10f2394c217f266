/* SPDX-License-Identifier: Apache-2.0 */
/*
 * restored.h - what must be true of a RESTORED leaf: it stands directly behind the leaves that were
 * read back, names their root, and two officers, who were officers by the leaves before, signed a
 * plan that says the same.
 */
#pragma once

#include "db/ledger/leaf.h"

struct audit_restored;
void audit_restored_free(struct audit_restored *);
struct audit_restored *audit_restored_new(void) OWNED(audit_restored_free);

/* Leaf by leaf from the first. ERR_CRYPTO. */
int audit_restored_check(struct audit_restored *, const struct leaf *, struct err *e);
