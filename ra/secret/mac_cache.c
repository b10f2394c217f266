/* SPDX-License-Identifier: Apache-2.0 */
/* A list of some hundred: looking through it costs a microsecond, deriving a key hundreds. */
#include "ra/secret/mac_cache.h"

#include <assert.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "ca/cmp/queue.h"

struct entry {
    char registration[CMP_REGISTRATION_ID_SIZE + 1];
    struct cmp_mac_key *key; /* NULL: free */
    time_t until;
};

struct mac_cache {
    pthread_mutex_t lock;
    struct entry *entries;
    size_t max;
    int seconds;
};

struct mac_cache *
mac_cache_new(size_t max, int seconds)
{
    struct mac_cache *c = mem_new(sizeof(*c));

    assert(max > 0 && max <= MAC_CACHE_MAX);
    (void)pthread_mutex_init(&c->lock, NULL);
    c->entries = mem_zalloc(max, sizeof(*c->entries));
    c->max = max;
    c->seconds = seconds;
    return c;
}

static void
clear(struct entry *entry)
{
    cmp_mac_key_free(entry->key);
    *entry = (struct entry){0};
}

void
mac_cache_free(struct mac_cache *c)
{
    if (c == NULL) {
        return;
    }
    for (size_t i = 0; i < c->max; i++) {
        clear(&c->entries[i]);
    }
    (void)pthread_mutex_destroy(&c->lock);
    mem_free(c->entries);
    mem_free(c);
}

static struct entry *
find(struct mac_cache *c, const char *registration, struct span algorithm)
{
    for (size_t i = 0; i < c->max; i++) {
        struct entry *entry = &c->entries[i];

        if (entry->key != NULL && strcmp(entry->registration, registration) == 0 &&
            span_equal(cmp_mac_key_algorithm(entry->key), algorithm)) {
            return entry;
        }
    }
    return NULL;
}

/* The one that would end first; a free one ended at 0. */
static struct entry *
place(struct mac_cache *c)
{
    struct entry *first = &c->entries[0];

    for (size_t i = 0; i < c->max; i++) {
        if (c->entries[i].until < first->until) {
            first = &c->entries[i];
        }
    }
    clear(first);
    return first;
}

struct cmp_mac_key *
mac_cache_get(struct mac_cache *c, const char *registration, struct span algorithm, time_t now)
{
    struct cmp_mac_key *key = NULL;
    struct entry *entry;

    (void)pthread_mutex_lock(&c->lock);
    entry = find(c, registration, algorithm);
    if (entry != NULL && entry->until < now) {
        clear(entry);
    } else if (entry != NULL) {
        key = cmp_mac_key_hold(entry->key);
    }
    (void)pthread_mutex_unlock(&c->lock);
    return key;
}

void
mac_cache_put(struct mac_cache *c, const char *registration, struct cmp_mac_key *key, time_t now)
{
    struct entry *entry;

    (void)pthread_mutex_lock(&c->lock);
    entry = find(c, registration, cmp_mac_key_algorithm(key));
    if (entry == NULL) {
        entry = place(c);
        (void)snprintf(entry->registration, sizeof(entry->registration), "%s", registration);
        entry->key = cmp_mac_key_hold(key);
    }
    entry->until = now + c->seconds;
    (void)pthread_mutex_unlock(&c->lock);
}

void
mac_cache_drop(struct mac_cache *c, const char *registration, struct span algorithm)
{
    struct entry *entry;

    (void)pthread_mutex_lock(&c->lock);
    entry = find(c, registration, algorithm);
    if (entry != NULL) {
        clear(entry);
    }
    (void)pthread_mutex_unlock(&c->lock);
}

void
mac_cache_forget(struct mac_cache *c, const char *registration)
{
    (void)pthread_mutex_lock(&c->lock);
    for (size_t i = 0; i < c->max; i++) {
        if (strcmp(c->entries[i].registration, registration) == 0) {
            clear(&c->entries[i]);
        }
    }
    (void)pthread_mutex_unlock(&c->lock);
}

size_t
mac_cache_sweep(struct mac_cache *c, time_t now)
{
    size_t left = 0;

    (void)pthread_mutex_lock(&c->lock);
    for (size_t i = 0; i < c->max; i++) {
        if (c->entries[i].until < now) {
            clear(&c->entries[i]);
        }
        left += c->entries[i].key != NULL;
    }
    (void)pthread_mutex_unlock(&c->lock);
    return left;
}
