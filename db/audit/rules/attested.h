/* SPDX-License-Identifier: Apache-2.0 */
/*
 * attested.h - what a request rests on is what an RA signed (version 2 of the record): a QUEUE-HEAD
 * is signed by a key whose certificate was issued to an RA and is good at that place, for this CA;
 * a REQUEST and an AGAIN name one that came before, at most LEAF_HEAD_AGE_MAX seconds, whose RA is
 * good still, and which has their place in the queue; the entry of a REQUEST is under it and says
 * what the REQUEST says. From version 3 on a REQUEST says when it was made and whose word that is:
 * the RA's, in the entry, or the requester's, which is at most a day from that.
 *
 * One RA that says two things about one place of its queue has lost its ra.db, or its key is used
 * twice: that is no fault of the record's, and counted.
 *
 * Memory: the heads of a day.
 */
#pragma once

#include "db/audit/rules/state.h"
#include "db/ledger/leaf.h"

struct audit_attested;
void audit_attested_free(struct audit_attested *);
struct audit_attested *audit_attested_new(void) OWNED(audit_attested_free);

/* The next leaf, in a record of this version. ERR_CRYPTO with the rule that it breaks. */
int audit_attested_check(struct audit_attested *, int64_t version, const struct leaf *,
                         struct err *e);
/* Heads that have places in their RA's queue that another one of the same day has. */
size_t audit_attested_twice(const struct audit_attested *);
void audit_attested_state(struct audit_attested *, struct state *);
