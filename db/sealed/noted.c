/* SPDX-License-Identifier: Apache-2.0 */
#include "db/sealed/noted.h"

#include <string.h>

enum {
    CHAINS_FIRST = 512,
    CHAINS_KEPT = 4096, /* by a set that is empty again */
};

/* FNV-1a */
static size_t
hash_of(const struct sealed_table *table, struct span key)
{
    uint64_t hash = (14695981039346656037ULL ^ table->number) * 1099511628211ULL;

    for (size_t i = 0; i < key.n; i++) {
        hash = (hash ^ key.p[i]) * 1099511628211ULL;
    }
    return (size_t)(hash ^ hash >> 32);
}

static struct noted **
chain_of(const struct noted_set *set, const struct sealed_table *table, struct span key)
{
    return &set->chains[hash_of(table, key) & (set->chains_n - 1)];
}

struct noted *
noted_find(const struct noted_set *set, const struct sealed_table *table, struct span key)
{
    struct noted *noted = set->chains_n == 0 ? NULL : *chain_of(set, table, key);

    while (noted != NULL &&
           (noted->table != table || !span_equal(span_of(noted->key, noted->n), key))) {
        noted = noted->chain;
    }
    return noted;
}

static void
chain(struct noted_set *set, struct noted *noted)
{
    struct noted **first = chain_of(set, noted->table, span_of(noted->key, noted->n));

    noted->chain = *first;
    *first = noted;
}

static void
grow(struct noted_set *set)
{
    mem_free(set->chains);
    set->chains_n = set->chains_n == 0 ? CHAINS_FIRST : set->chains_n * 2;
    set->chains = mem_zalloc(set->chains_n, sizeof(struct noted *));
    for (struct noted *noted = set->first; noted != NULL; noted = noted->next) {
        chain(set, noted);
    }
}

struct noted *
noted_add(struct noted_set *set, const struct sealed_table *table, struct span key)
{
    struct noted *noted = mem_zalloc(1, sizeof(*noted) + key.n);

    noted->table = table;
    noted->n = key.n;
    memcpy(noted->key, key.p, key.n);
    if (set->n == set->chains_n) {
        grow(set);
    }
    chain(set, noted);
    if (set->last != NULL) {
        set->last->next = noted;
    } else {
        set->first = noted;
    }
    set->last = noted;
    set->n++;
    return noted;
}

static void
free_all(struct noted_set *set)
{
    struct noted *noted = set->first;

    while (noted != NULL) {
        struct noted *next = noted->next;

        mem_free(noted);
        noted = next;
    }
}

void
noted_clear(struct noted_set *set)
{
    if (set->chains_n > CHAINS_KEPT) {
        noted_end(set);
    } else if (set->n > 0) {
        free_all(set);
        memset(set->chains, 0, set->chains_n * sizeof(struct noted *));
        *set = (struct noted_set){.chains = set->chains, .chains_n = set->chains_n};
    }
}

void
noted_end(struct noted_set *set)
{
    free_all(set);
    mem_free(set->chains);
    *set = (struct noted_set){0};
}
