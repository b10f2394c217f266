/* SPDX-License-Identifier: Apache-2.0 */
#include "db/audit/lint/seen.h"

#include <assert.h>
#include <search.h>
#include <string.h>

struct one_seen {
    const char *key;
    char *owned; /* the same; NULL in what is looked for */
    void *value;
};

struct seen {
    void *root; /* of a tree of entries, by their keys */
    void (*release)(void *value);
};

static int
compare(const void *a, const void *b)
{
    const struct one_seen *first = a;
    const struct one_seen *second = b;

    return strcmp(first->key, second->key);
}

struct seen *
seen_new(void (*release)(void *value))
{
    struct seen *s = mem_new(sizeof(*s));

    s->release = release;
    return s;
}

void
seen_free(struct seen *s)
{
    while (s != NULL && s->root != NULL) {
        struct one_seen *entry = *(struct one_seen **)s->root;

        (void)tdelete(entry, &s->root, compare);
        if (s->release != NULL) {
            s->release(entry->value);
        }
        mem_free(entry->owned);
        mem_free(entry);
    }
    mem_free(s);
}

static struct one_seen *
entry_find(const struct seen *s, const char *key)
{
    const struct one_seen wanted = {.key = key};
    struct one_seen **found = tfind(&wanted, &s->root, compare);

    return found == NULL ? NULL : *found;
}

void *
seen_find(const struct seen *s, const char *key)
{
    const struct one_seen *entry = entry_find(s, key);

    return entry == NULL ? NULL : entry->value;
}

void
seen_add(struct seen *s, const char *key, void *value)
{
    struct one_seen *entry = mem_new(sizeof(*entry));
    struct one_seen **there;

    entry->owned = mem_strdup(key);
    entry->key = entry->owned;
    entry->value = value;
    there = tsearch(entry, &s->root, compare);
    assert(there != NULL && *there == entry); /* memory, and nothing was there */
}

void *
seen_take(struct seen *s, const char *key)
{
    struct one_seen *entry = entry_find(s, key);
    void *value;

    if (entry == NULL) {
        return NULL;
    }
    value = entry->value;
    (void)tdelete(entry, &s->root, compare);
    mem_free(entry->owned);
    mem_free(entry);
    return value;
}

struct visit {
    void (*each)(void *arg, const char *key, void *value);
    void *arg;
};

static void
visit(const void *node, VISIT which, void *closure)
{
    const struct one_seen *entry = *(struct one_seen *const *)node;
    const struct visit *v = closure;

    if (which == postorder || which == leaf) {
        v->each(v->arg, entry->key, entry->value);
    }
}

void
seen_each(const struct seen *s, void (*each)(void *arg, const char *key, void *value), void *arg)
{
    struct visit v = {.each = each, .arg = arg};

    twalk_r(s->root, visit, &v);
}
