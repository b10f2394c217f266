/* SPDX-License-Identifier: Apache-2.0 */
/*
 * record.h - the version of the record, which each START says and which never goes back, and
 * the rules that came with one: from version 2 on a CRL is announced before it is signed, from
 * version 4 on a START, a RESTORED and an ACKNOWLEDGED say when the program went on though the
 * clock was behind the last leaf.
 */
#pragma once

#include "db/audit/rules/state.h"
#include "db/ledger/leaf.h"

struct audit_record;
void audit_record_free(struct audit_record *);
struct audit_record *audit_record_new(void) OWNED(audit_record_free);

/* The next leaf. ERR_CRYPTO with the rule that it breaks; ERR_INPUT for a record that is newer than
 * this program. */
int audit_record_check(struct audit_record *, const struct leaf *, struct err *e);
/* Lines of journals that belong to nothing, which officers acknowledged: for people to judge. */
size_t audit_record_acknowledged(const struct audit_record *);

/* A leaf that is dated more than LEAF_BACK_MAX before the one before it. */
struct audit_time_back {
    uint64_t leaf;
    time_t at, before; /* its time, and that of the one before */
};
enum { AUDIT_TIMES_KEPT = 20 };
/* Leaves that are dated before the one before them. By little: threads date what one appends. By
 * more: the clock was set back, or somebody dated what is not of then; a finding, unless one
 * of those says that people took it so, or the record is of a version that could not say it. */
struct audit_times {
    size_t back;  /* all of them, */
    time_t most;  /* by so many seconds at most */
    size_t taken; /* by more than LEAF_BACK_MAX, and no finding */
    size_t findings;
    struct audit_time_back found[AUDIT_TIMES_KEPT]; /* the first of these */
};
/* Borrowed. */
const struct audit_times *audit_record_times(const struct audit_record *);
/* As the last START said; 1 before the first. */
int64_t audit_record_version(const struct audit_record *);
void audit_record_state(struct audit_record *, struct state *);
