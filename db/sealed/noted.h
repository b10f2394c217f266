/* SPDX-License-Identifier: Apache-2.0 */
/*
 * noted.h - what is known of rows, and which are changed, in the transaction that runs. Private to
 * db/sealed/.
 */
#pragma once

#include "db/sealed/key.h"
#include "db/sealed/mac.h"

struct seal {
    uint32_t bucket;
    uint64_t leaf;
    uint8_t mac[MAC_SIZE];
};

struct noted {
    struct noted *next;  /* in the order of their coming */
    struct noted *chain; /* private */
    const struct sealed_table *table;
    bool compared; /* the row with its seal */
    bool changed;
    bool was; /* there was a row with this seal, when it was looked at first */
    struct seal seal;
    size_t n; /* octets of its key: */
    uint8_t key[];
};

/* All zero is empty. It has about as many chains as elements, so that a transaction over millions
 * of rows finds each of them at once. */
struct noted_set {
    struct noted *first;
    struct noted *last;
    struct noted **chains; /* private */
    size_t chains_n;       /* a power of two, or 0 */
    size_t n;
};

/* NULL: not there. Borrowed until noted_clear(). */
struct noted *noted_find(const struct noted_set *, const struct sealed_table *, struct span key);
/* It must not be there. */
struct noted *noted_add(struct noted_set *, const struct sealed_table *, struct span key);
void noted_clear(struct noted_set *);
/* And nothing is kept for the next ones. */
void noted_end(struct noted_set *);
