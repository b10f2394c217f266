/* SPDX-License-Identifier: Apache-2.0 */
/*
 * witnessed.h - have enough witnesses seen this history?
 *
 * A witness is asked now and then, while the log grows: each one's newest cosignature may be over
 * another size. Who cosigned a tree that is a beginning of the present one has seen all that it
 * covers; so the quorum holds for the first N leaves when those reach it who cosigned N or more.
 */
#pragma once

#include "base/tlog/policy.h"

/* What is to be verified. */
struct witnessed_log {
    const struct log_key *key;
    struct checkpoint checkpoint;
    /* ERR_CONFLICT when the tree of `earlier` is no beginning of that of `checkpoint`. */
    int (*consistent)(void *arg, const struct checkpoint *earlier, struct err *e);
    void *arg;
};

struct witnessed_by {
    bool found;
    uint64_t size; /* that it cosigned last */
    uint64_t time; /* when; 0: such a signature has none */
    uint64_t
        beyond; /* it cosigned a tree of this size, which is larger than the present one; 0: no */
};

struct witnessed {
    const struct tlog_policy *policy;
    bool met;
    uint64_t size; /* the first leaves, for which the quorum holds */
    struct witnessed_by by[TLOG_POLICY_EACH];
};

/* Takes what a note of this log has of the witnesses. ERR_CRYPTO, ERR_INPUT or ERR_CONFLICT says
 * what is wrong with it: then nothing is to be believed. */
int witnessed_note(struct witnessed *, const struct witnessed_log *, struct span octets,
                   struct err *e);
/* Behind the last note. */
void witnessed_judge(struct witnessed *, const struct witnessed_log *);
/* ERR_DENIED names whose cosignature is missing. */
int witnessed_check(const struct witnessed *, struct err *e);
