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

enum { NOTED_CHAINS = 512 };

/* All zero is empty. */
struct noted_set {
    struct noted *first;
    struct noted *last;
    struct noted *chains[NOTED_CHAINS];
};

/* NULL: not there. Borrowed until noted_clear(). */
struct noted *noted_find(const struct noted_set *, const struct sealed_table *, struct span key);
/* It must not be there. */
struct noted *noted_add(struct noted_set *, const struct sealed_table *, struct span key);
void noted_clear(struct noted_set *);
