/* SPDX-License-Identifier: Apache-2.0 */
/*
 * node.h - the nodes of the map that are in memory. Private to map.c.
 *
 * One that was changed stays until it was written; of the others NODES_MAX at most, the ones that
 * were used last.
 */
#pragma once

#include "db/pages/tag.h"

enum {
    NODE_FAN = 256,
    NODE_SIZE = NODE_FAN * TAG_SIZE,
    NODES_MAX = 1024, /* 4 MB: the tags of 1 GB */
    NODES_BUCKETS = 2048,
};

struct node {
    struct node *next; /* of its bucket */
    struct node *newer;
    struct node *older;
    uint64_t index;
    unsigned level; /* 0: tags of pages */
    bool changed;
    struct tag tags[NODE_FAN];
};

/* All zero is none. */
struct nodes {
    struct node *buckets[NODES_BUCKETS];
    struct node *newest; /* of those that were not changed */
    struct node *oldest;
    size_t unchanged;
    size_t changed;
};

void nodes_clear(struct nodes *);
/* NULL: it is not here. Borrowed until the next nodes_add(), or longer when it was changed. */
struct node *nodes_find(struct nodes *, unsigned level, uint64_t index);
/* All zero, and not changed. */
struct node *nodes_add(struct nodes *, unsigned level, uint64_t index);
void nodes_changed(struct nodes *, struct node *);
/* Away with one that was not changed. */
void nodes_forget(struct nodes *, struct node *);
/* It was written. */
void nodes_unchanged(struct nodes *, struct node *);
/* Those of this level that were changed, by index. */
struct node **nodes_list_changed(struct nodes *, unsigned level, size_t *n) OWNED(mem_free);
