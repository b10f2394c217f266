/* SPDX-License-Identifier: Apache-2.0 */
#include "db/sealed/noted.h"

#include <string.h>

/* FNV-1a */
static size_t
chain_of(const struct sealed_table *table, struct span key)
{
    uint32_t hash = (2166136261U ^ table->number) * 16777619U;

    for (size_t i = 0; i < key.n; i++) {
        hash = (hash ^ key.p[i]) * 16777619U;
    }
    return hash % NOTED_CHAINS;
}

struct noted *
noted_find(const struct noted_set *set, const struct sealed_table *table, struct span key)
{
    struct noted *noted = set->chains[chain_of(table, key)];

    while (noted != NULL &&
           (noted->table != table || !span_equal(span_of(noted->key, noted->n), key))) {
        noted = noted->chain;
    }
    return noted;
}

struct noted *
noted_add(struct noted_set *set, const struct sealed_table *table, struct span key)
{
    struct noted **chain = &set->chains[chain_of(table, key)];
    struct noted *noted = mem_zalloc(1, sizeof(*noted) + key.n);

    noted->table = table;
    noted->n = key.n;
    memcpy(noted->key, key.p, key.n);
    noted->chain = *chain;
    *chain = noted;
    if (set->last != NULL) {
        set->last->next = noted;
    } else {
        set->first = noted;
    }
    set->last = noted;
    return noted;
}

void
noted_clear(struct noted_set *set)
{
    struct noted *noted = set->first;

    if (noted == NULL) {
        return;
    }
    while (noted != NULL) {
        struct noted *next = noted->next;

        mem_free(noted);
        noted = next;
    }
    *set = (struct noted_set){0};
}
