/* SPDX-License-Identifier: Apache-2.0 */
/*
 * retry.h - what its network function rejected was a use of its registration; one further
 * certificate may take its place without being another, once for each registration. Private to
 * rules.c.
 *
 * Memory: the rejections of initial certificates by their network functions.
 */
#pragma once

#include "db/audit/rules/state.h"
#include "db/ledger/leaf.h"

struct audit_retries;
void audit_retries_free(struct audit_retries *);
struct audit_retries *audit_retries_new(void) OWNED(audit_retries_free);

/* The next leaf. ERR_CRYPTO with the rule that it breaks. */
int audit_retries_check(struct audit_retries *, const struct leaf *, struct err *e);
void audit_retries_state(struct audit_retries *, struct state *);
