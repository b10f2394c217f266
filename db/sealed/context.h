/* SPDX-License-Identifier: Apache-2.0 */
/* context.h - what db/sealed/ keeps between operations. Private to it; the writer thread's. */
#pragma once

#include "db/sealed/mac.h"
#include "db/sealed/noted.h"
#include "db/sealed/sealed.h"
#include "db/sealed/seen.h"

enum { NONCE_SIZE = 16, SUM_SIZE = MAC_SIZE };

struct head {
    uint8_t sum[SUM_SIZE]; /* without its nonce's term */
    uint64_t leaves;
    uint64_t rows;
};

/* An owner among all of them, both by a MAC. */
struct owner {
    uint32_t bucket;
    uint64_t number; /* never 0 */
};

enum { OWNERS_CACHED = 256 };

/* 0 octets: none. */
struct cached_owner {
    unsigned owners;
    struct owner owner;
    size_t n;
    uint8_t octets[48];
};

struct sealed {
    struct sealed_options options;
    bool has_key;
    struct mac_keys keys;
    enum sealed_state state;
    struct head head;
    bool fresh; /* sealed_begin() ran in this transaction */
    /* A violation was found: nothing is committed any more. */
    bool violated;
    struct err violation;
    bool older;         /* the head is one of before (before.h), until the transaction ends */
    uint8_t *checked;   /* SEALED_BUCKETS bits: was each seal's row compared since the start? */
    struct seen owners; /* all of whose rows were checked since the start */
    struct cached_owner cached[OWNERS_CACHED];
    /* Until the transaction ends: */
    struct noted_set noted;
    size_t changes; /* of them */
};

#define NO_SEAL "has no seal: not written by this program"
#define ROW_EDITED "edited, or not written by this program"

/* NULL: verbs do nothing. */
static inline struct sealed *
sealed_of(const struct store_db *db)
{
    return store_context(db);
}

/* NULL: there is none of this number. */
const struct sealed_table *sealed_table_find(const struct sealed *, unsigned number);
/* Remembers it, and tells it as ERR_STALE: what is wrong with which row, or, `table` NULL, with the
 * rows of which owner. Always -1. */
int sealed_violation(struct sealed *, const struct sealed_table *, struct span key,
                     const char *what, struct err *e);
/* The same of the whole. */
int sealed_violation_all(struct sealed *, const char *what, struct err *e);
