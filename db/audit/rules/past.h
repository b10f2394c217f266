/* SPDX-License-Identifier: Apache-2.0 */
/*
 * past.h - what rules must know of each certificate so far, where somebody keeps it anyway (the
 * rows of a mirror): asked for, instead of remembered.
 */
#pragma once

#include "db/audit/rules/ending.h"

/* What may be on a CRL. */
struct audit_revoked {
    struct audit_serial serial;
    int reason;
    time_t date;
    time_t not_after;
    uint64_t leaf;
};
typedef int audit_revoked_each(void *arg, const struct audit_revoked *);

/* Both are about the leaves before `before`, and no others. */
struct audit_past {
    void *arg;
    /* Of the INTENTs, ISSUED and REVOKED of this serial; *found false: there is none. */
    int (*ending)(void *arg, const struct audit_serial *, uint64_t before, struct audit_ending *,
                  bool *found, struct err *e);
    /* Of each REVOKED whose certificate ends at `from` or later. */
    int (*revoked)(void *arg, uint64_t before, time_t from, audit_revoked_each *, void *each_arg,
                   struct err *e);
};
