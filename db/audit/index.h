/* SPDX-License-Identifier: Apache-2.0 */
/*
 * index.h - one row per certificate, in the order of their intents: what `list` shows.
 */
#pragma once

#include "db/ledger/leaf.h"

enum audit_status {
    AUDIT_PENDING,   /* intended, not issued yet */
    AUDIT_ISSUED,    /* signed, not confirmed yet */
    AUDIT_CONFIRMED, /* the end entity has it */
    AUDIT_REJECTED,  /* the end entity did not want it, or the intent was given up */
    AUDIT_REVOKED,
};
const char *audit_status_name(enum audit_status);
/* The status after this leaf, which is about the certificate. */
enum audit_status audit_status_next(enum audit_status, enum leaf_kind);

struct audit_row {
    char *serial;
    char *nf; /* NULL: infrastructure */
    char *profile;
    char *not_after;
    uint64_t leaf; /* of the newest fact */
    enum audit_status status;
};

struct audit_index;
void audit_index_free(struct audit_index *);
/* With `nf` (or NULL) only certificates of that nfInstanceId; borrowed. */
struct audit_index *audit_index_new(const char *nf) OWNED(audit_index_free);
DEFINE_CLEANUP(audit_index_cleanup, struct audit_index, audit_index_free)

/* The leaf at this index of the ledger. */
void audit_index_add(struct audit_index *, uint64_t at, const struct leaf *);
size_t audit_index_size(const struct audit_index *);
const struct audit_row *audit_index_row(const struct audit_index *, size_t i);
