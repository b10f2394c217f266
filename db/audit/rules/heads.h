/* SPDX-License-Identifier: Apache-2.0 */
/*
 * heads.h - the heads of RAs' queues that the record had within the last day (LEAF_HEAD_AGE_MAX):
 * found by their hash, and by the places that they have. Those were checked (attested.h).
 */
#pragma once

#include "base/ossl.h"
#include "base/tlog/queue_head.h"
#include "db/audit/rules/state.h"

struct audit_head {
    struct audit_head *next;  /* in its bucket, by its hash */
    struct audit_head *near;  /* and in the one of its first place */
    struct audit_head *newer; /* recorded after it */
    uint8_t hash[SHA256_SIZE];
    struct queue_head head;
    time_t recorded;
    char *ra; /* serial */
};

struct audit_heads;
void audit_heads_free(struct audit_heads *);
struct audit_heads *audit_heads_new(void) OWNED(audit_heads_free);

/* Recorded now, by the RA of this serial: what is older than a day is forgotten. */
void audit_heads_add(struct audit_heads *, const struct queue_head *,
                     const uint8_t hash[SHA256_SIZE], time_t recorded, const char *ra);
/* The one recorded last of these octets; NULL. Borrowed until the next one is added. */
const struct audit_head *audit_heads_find(const struct audit_heads *,
                                          const uint8_t hash[SHA256_SIZE]);
/* Heads that have places in their RA's queue that another one of the same day has. */
size_t audit_heads_twice(const struct audit_heads *);
void audit_heads_state(struct audit_heads *, struct state *);
