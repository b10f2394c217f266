/* SPDX-License-Identifier: Apache-2.0 */
/*
 * verify.h - everything that is verified before the auditor believes or says anything.
 */
#pragma once

#include "db/audit/files.h"
#include "db/audit/rules/issuer.h"
#include "db/audit/rules/record.h"
#include "db/audit/walk.h"
#include "db/ledger/leaf.h"

struct audit_figures {
    uint64_t kinds[LEAF_KINDS];         /* leaves of each kind */
    size_t open;                        /* intents without certificate or rejection */
    size_t waiting;                     /* requests that wait for approvals */
    size_t twice;                       /* heads of an RA's queue that another one contradicts */
    size_t missing;                     /* places where a report of an RA should be */
    size_t acknowledged;                /* lines of journals that belong to nothing */
    struct audit_times times;           /* leaves that are dated before the one before them */
    struct audit_signatures signatures; /* of the issuing key */
    time_t newest;                      /* time of the last leaf, 0 when there is none */
};

typedef void audit_leaf(void *arg, uint64_t index, const struct leaf *);
/* Files, tiles, entries, the form of every leaf, and the rules between them (rules.h); and what
 * these issuers signed (rules/issuer.h; NULL: nobody asks). `each` (or NULL) is told of every leaf
 * on the way: believe it when 0 comes back. */
int audit_verify(struct audit_log *, struct audit_issuers *, audit_leaf *each, void *arg,
                 struct audit_figures *, struct err *e);

/* The same of leaves from elsewhere, whose hashes whoever gives them has verified when it gives 0;
 * as audit_walk() does. */
struct audit_source {
    int (*walk)(void *from, audit_each *each, void *arg, struct err *e);
    void *from;
};
int audit_verify_source(const struct audit_source *, struct audit_issuers *, audit_leaf *each,
                        void *arg, struct audit_figures *, struct err *e);

/*
 * The remembered state: the note of the checkpoint that was verified last, so that two states that
 * do not agree prove with the log's own signatures that it lied. A missing file is no error;
 * *earlier->size is then 0 and *known false. ERR_CRYPTO or ERR_INPUT when the file is not a
 * checkpoint of this log.
 */
int audit_state_load(const char *path, const struct log_key *, bool *known,
                     struct checkpoint *earlier, struct err *e);
int audit_state_save(const char *path, struct span note, struct err *e);
