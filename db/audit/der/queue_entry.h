/* SPDX-License-Identifier: Apache-2.0 */
/*
 * queue_entry.h - what an RA attested about a message, as the auditor reads it: a QueueEntry in DER
 * (ca/cmp/queue_entry.h), read here once more, by nothing that the CA runs.
 */
#pragma once

#include <time.h>

#include "base/buf.h"

enum { AUDIT_ENTRY_MAX = 256 };

struct audit_entry {
    char registration[AUDIT_ENTRY_MAX];
    char profile[AUDIT_ENTRY_MAX];
    const char *assurance; /* "mac", "signature" */
    time_t received;
    char rid[AUDIT_ENTRY_MAX]; /* hex */
};

/* Of what a REQUEST has in base64. ERR_CRYPTO when it is none. */
int audit_entry_read(struct span der, struct audit_entry *, struct err *e);
