/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rules.h - what must be true of the leaves beyond their hashes: each has the form of its
 * kind, what was issued is what was intended before (record before signature), what officers must
 * approve was approved before it was intended (approval.h), what a registrar
 * registers or ends is signed by one (registrar.h), updates are done one at a
 * time, confirmed before they supersede, and given again to newer requests only (renewal.h);
 * a further try is of what its network function rejected (retry.h), on a CRL is what was revoked
 * (crl.h), what a request rests on is what an RA signed (attested.h), and so is what an RA says of
 * itself (reported.h), what two officers signed of a restore or of a line of a journal is what the
 * leaf says (restored.h, acknowledged.h), and it is said who worked the CA (operator.h).
 *
 * Memory: the intents that are open, the updates that wait for their confirmation, of certificates
 * that can be on a CRL when they end, and the heads of a day.
 */
#pragma once

#include "db/audit/rules/issuer.h"
#include "db/audit/rules/past.h"
#include "db/audit/rules/record.h"

struct audit_rules;
void audit_rules_free(struct audit_rules *);
struct audit_rules *audit_rules_new(void) OWNED(audit_rules_free);
DEFINE_CLEANUP(audit_rules_cleanup, struct audit_rules, audit_rules_free)

/* Whose signatures are verified, too (issuer.h); before the first leaf. Borrowed; NULL: nobody's.
 */
void audit_rules_use(struct audit_rules *, struct audit_issuers *);
/* The next leaf. ERR_CRYPTO with the rule that it breaks. */
int audit_rules_check(struct audit_rules *, const struct leaf *, struct err *e);
/* Intents that have neither a certificate nor a rejection yet. */
size_t audit_rules_open(const struct audit_rules *);
/* Heads of RAs' queues, and reports of RAs, that say otherwise than others (attested.h,
 * reported.h).
 */
size_t audit_rules_twice(const struct audit_rules *);
/* Places where a report of an RA is missing (reported.h). */
size_t audit_rules_missing(const struct audit_rules *);
/* Lines of journals that officers acknowledged (record.h). */
size_t audit_rules_acknowledged(const struct audit_rules *);
/* Leaves that are dated before the one before them (record.h). Borrowed. */
const struct audit_times *audit_rules_times(const struct audit_rules *);
/* Requests that wait for officers' approvals. */
size_t audit_rules_waiting(const struct audit_rules *);

/* ---- another run goes on from here ---- */

/* Before the first leaf: what is asked for instead of remembered. Borrowed. */
void audit_rules_past(struct audit_rules *, const struct audit_past *);
/* All but what the past knows; "" when it cannot be said. */
char *audit_rules_save(struct audit_rules *) OWNED(mem_free);
/* Behind the leaves that they were saved behind. ERR_STALE: it is of another program, and the
 * leaves are to be read again. */
struct audit_rules *audit_rules_load(struct span saved, const struct audit_past *, struct err *e)
    OWNED(audit_rules_free);
