/* SPDX-License-Identifier: Apache-2.0 */
/* record.h - what ca.db of the daemon of world.h has, read from the file beside it. */
#pragma once

#include "db/ledger/leaf.h"
#include "tests/unit/ca/daemon/world.h"

enum record_figure {
    RECORD_LEAVES,
    RECORD_REGISTRATIONS,
    RECORD_USED, /* uses of all registrations */
    RECORD_CANCELLED,
    RECORD_REQUESTS,
    RECORD_REFUSED,
    RECORD_INTENTS, /* that were ever made */
    RECORD_CERTIFICATES,
    RECORD_CONFIRMATIONS,
    RECORD_REVOCATIONS,
    RECORD_REVOCATION_REQUESTS,
    RECORD_PUBLIC_KEYS,
    RECORD_PENDING,
    RECORD_AGAIN,
    RECORD_CRLS,
    RECORD_FIGURES,
};

struct record {
    int64_t figures[RECORD_FIGURES];
};

struct record record_read(struct world *);
/* Nothing was written since `before`, not even a leaf. */
void record_is_unchanged(struct world *, const char *row, const struct record *before);
/* One that is refused. */
struct record_refusal {
    const char *row;
    uint8_t rid[SHA256_SIZE];
    enum cmp_failure failure;
    const char *reason; /* a part of the leaf's */
};
/* A leaf REFUSAL of each of these was, with its row in `request`, and nothing else. */
void record_has_refusals(struct world *, const struct record *before, const struct record_refusal *,
                         size_t n);
/* There is a leaf of this kind about this rid, whose member has this part. */
void record_has_leaf(const struct world *, const char *row, struct span rid, enum leaf_kind,
                     const char *member, const char *part);
/* Each leaf REFUSAL. */
void record_each_refusal(struct world *,
                         void (*visit)(void *arg, int fail_info, const char *reason), void *arg);
/* The figures are those of `before` and what is added here: {figure, how many}, up to
 * RECORD_FIGURES. */
struct record_change {
    enum record_figure figure;
    int64_t by;
};
void record_changed(struct world *, const char *row, const struct record *before,
                    const struct record_change *changes);
