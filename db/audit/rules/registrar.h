/* SPDX-License-Identifier: Apache-2.0 */
/*
 * registrar.h - what must be true of registrations and their end: each is signed under a
 * certificate that the same record has, before it, as a registrar's, and that is valid then and not
 * revoked; or, an end, says which officer of the CA it was. What a registration says is what was
 * signed (evidence.h). Private to rules.c.
 *
 * A record of version 1 may lack evidence that was too long. Ends of before the record said who are
 * taken, up to the first that says it.
 *
 * Memory: the registrars.
 */
#pragma once

#include "db/audit/rules/state.h"
#include "db/ledger/leaf.h"

struct audit_registrars;
void audit_registrars_free(struct audit_registrars *);
struct audit_registrars *audit_registrars_new(void) OWNED(audit_registrars_free);

/* The next leaf, of any kind, in a record of this version. ERR_CRYPTO with the rule that it breaks.
 */
int audit_registrars_check(struct audit_registrars *, int64_t version, const struct leaf *,
                           struct err *e);
void audit_registrars_state(struct audit_registrars *, struct state *);
