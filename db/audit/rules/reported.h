/* SPDX-License-Identifier: Apache-2.0 */
/*
 * reported.h - what an RA says of itself is what an RA signed (version 6 of the record): a
 * RA-REPORT is signed by a key whose certificate was issued to an RA and is good at that place, for
 * this CA.
 *
 * One RA that goes on with a number that it had before has lost its ra.db, or its key is used
 * twice: that is no fault of the record's, and counted.
 *
 * Each names the report before it, or begins with a start: where that is another one than the
 * record has, the CA left one out, or never got it; counted, too. The first of a key may follow
 * what another log has.
 *
 * Memory: the RAs' certificates, and a number and a hash for each of their keys.
 */
#pragma once

#include "db/audit/rules/state.h"
#include "db/ledger/leaf.h"

struct audit_reported;
void audit_reported_free(struct audit_reported *);
struct audit_reported *audit_reported_new(void) OWNED(audit_reported_free);

/* The next leaf, in a record of this version. ERR_CRYPTO with the rule that it breaks. */
int audit_reported_check(struct audit_reported *, int64_t version, const struct leaf *,
                         struct err *e);
/* Reports whose number is not above that of the one before by the same key. */
size_t audit_reported_twice(const struct audit_reported *);
/* Places where a report is missing. */
size_t audit_reported_missing(const struct audit_reported *);
void audit_reported_state(struct audit_reported *, struct state *);
