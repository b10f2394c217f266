/* SPDX-License-Identifier: Apache-2.0 */
#include "db/pages/node.h"

#include <stdlib.h>

static struct node **
bucket_of(struct nodes *nodes, unsigned level, uint64_t index)
{
    return &nodes->buckets[(index * 5 + level) % NODES_BUCKETS];
}

static void
unlist(struct nodes *nodes, struct node *node)
{
    *(node->newer == NULL ? &nodes->newest : &node->newer->older) = node->older;
    *(node->older == NULL ? &nodes->oldest : &node->older->newer) = node->newer;
    node->newer = NULL;
    node->older = NULL;
    nodes->unchanged--;
}

static void
list(struct nodes *nodes, struct node *node)
{
    node->newer = NULL;
    node->older = nodes->newest;
    *(nodes->newest == NULL ? &nodes->oldest : &nodes->newest->newer) = node;
    nodes->newest = node;
    nodes->unchanged++;
}

void
nodes_forget(struct nodes *nodes, struct node *node)
{
    struct node **p = bucket_of(nodes, node->level, node->index);

    while (*p != node) {
        p = &(*p)->next;
    }
    *p = node->next;
    unlist(nodes, node);
    mem_free(node);
}

void
nodes_clear(struct nodes *nodes)
{
    for (size_t i = 0; i < NODES_BUCKETS; i++) {
        while (nodes->buckets[i] != NULL) {
            struct node *node = nodes->buckets[i];

            nodes->buckets[i] = node->next;
            mem_free(node);
        }
    }
    *nodes = (struct nodes){0};
}

struct node *
nodes_find(struct nodes *nodes, unsigned level, uint64_t index)
{
    struct node *node = *bucket_of(nodes, level, index);

    while (node != NULL && (node->index != index || node->level != level)) {
        node = node->next;
    }
    if (node != NULL && !node->changed && node != nodes->newest) {
        unlist(nodes, node);
        list(nodes, node);
    }
    return node;
}

struct node *
nodes_add(struct nodes *nodes, unsigned level, uint64_t index)
{
    struct node **bucket = bucket_of(nodes, level, index);
    struct node *node = mem_new(sizeof(*node));

    if (nodes->unchanged >= NODES_MAX) {
        nodes_forget(nodes, nodes->oldest);
    }
    node->level = level;
    node->index = index;
    node->next = *bucket;
    *bucket = node;
    list(nodes, node);
    return node;
}

void
nodes_changed(struct nodes *nodes, struct node *node)
{
    if (!node->changed) {
        unlist(nodes, node);
        node->changed = true;
        nodes->changed++;
    }
}

void
nodes_unchanged(struct nodes *nodes, struct node *node)
{
    node->changed = false;
    nodes->changed--;
    list(nodes, node);
    if (nodes->unchanged > NODES_MAX) {
        nodes_forget(nodes, nodes->oldest);
    }
}

static int
by_index(const void *a, const void *b)
{
    const struct node *const *x = a;
    const struct node *const *y = b;

    return ((*x)->index > (*y)->index) - ((*x)->index < (*y)->index);
}

struct node **
nodes_list_changed(struct nodes *nodes, unsigned level, size_t *n)
{
    struct node **out = mem_zalloc(nodes->changed + 1, sizeof(struct node *));

    *n = 0;
    for (size_t i = 0; i < NODES_BUCKETS; i++) {
        for (struct node *node = nodes->buckets[i]; node != NULL; node = node->next) {
            if (node->changed && node->level == level) {
                out[(*n)++] = node;
            }
        }
    }
    qsort(out, *n, sizeof(struct node *), by_index);
    return out;
}
