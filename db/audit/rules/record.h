/* SPDX-License-Identifier: Apache-2.0 */
/*
 * record.h - the version of the record, which each START says and which never goes back, and
 * the rules that came with one: from version 2 on a CRL is announced before it is signed, from
 * version 3 on time does not go back.
 */
#pragma once

#include "db/ledger/leaf.h"

struct audit_record;
void audit_record_free(struct audit_record *);
struct audit_record *audit_record_new(void) OWNED(audit_record_free);

/* The next leaf. ERR_CRYPTO with the rule that it breaks; ERR_INPUT for a record that is newer than
 * this program. */
int audit_record_check(struct audit_record *, const struct leaf *, struct err *e);
/* Leaves that are dated more than LEAF_BACK_MAX before the one before them: the clock was set back,
 * or somebody dated what is not of then. */
size_t audit_record_back(const struct audit_record *);
/* Lines of journals that belong to nothing, which officers acknowledged: for people to judge. */
size_t audit_record_acknowledged(const struct audit_record *);
/* As the last START said; 1 before the first. */
int64_t audit_record_version(const struct audit_record *);
