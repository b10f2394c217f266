/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A bucket is one number: the time at which it will be full (the theoretical arrival time of the
 * generic cell rate algorithm, ITU-T I.371). It is full when that time is past; it has a token when
 * that time is less than burst - 1 intervals ahead. Entries stand in chains by hash and in one list
 * by last use; the one that was used least recently is the one that is full first, or soon.
 */
#include "ra/daemon/budget.h"

#include <assert.h>
#include <limits.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/ossl.h"

#define NONE UINT32_MAX /* no entry */

enum { KEY_WORDS = BUDGET_KEY_MAX / 8, SECOND_US = 1000000 };

struct entry {
    uint64_t key[KEY_WORDS]; /* padded with zeros */
    int64_t full_at_us;
    uint32_t next; /* in the chain */
    uint32_t newer;
    uint32_t older;
};

struct budget {
    pthread_mutex_t lock;
    struct budget_limit limit;
    uint64_t seed;
    uint32_t n_max;
    uint32_t n;
    uint32_t newest;
    uint32_t oldest;
    uint32_t mask;
    int64_t shared_full_at_us;
    uint32_t *chains;
    struct entry *entries;
};

/* ---- "100/1000" ---- */

/* Digits up to `end`; false when there is none or the value is too large. */
static bool
take_number(const char **text, unsigned most, unsigned *out)
{
    unsigned value = 0;
    const char *p = *text;

    while (*p >= '0' && *p <= '9' && value <= most) {
        value = value * 10 + (unsigned)(*p++ - '0');
    }
    if (p == *text || value > most) {
        return false;
    }
    *text = p;
    *out = value;
    return true;
}

/* Thousandths of a rate. */
static bool
take_rate(const char **text, int64_t *out)
{
    unsigned whole = 0;
    unsigned part = 0;
    const char *p;

    if (!take_number(text, BUDGET_RATE_MAX, &whole)) {
        return false;
    }
    *out = (int64_t)whole * 1000;
    if (**text != '.') {
        return true;
    }
    p = ++*text;
    if (!take_number(text, 999, &part) || *text - p > 3) {
        return false;
    }
    for (long digits = *text - p; digits < 3; digits++) {
        part *= 10;
    }
    *out += part;
    return true;
}

int
budget_limit_parse(const char *text, struct budget_limit *out, struct err *e)
{
    const char *p = text;
    int64_t rate = 0;
    unsigned burst = 0;

    *out = (struct budget_limit){0};
    if (strcmp(text, "0") == 0) {
        return 0;
    }
    if (!take_rate(&p, &rate) || rate == 0 || *p++ != '/' ||
        !take_number(&p, BUDGET_BURST_MAX, &burst) || burst == 0 || *p != '\0') {
        return err_set(e, ERR_INPUT,
                       "\"%.40s\" is no budget: write how many a second and how many at once, "
                       "as in \"100/1000\" or \"0.2/10\", or \"0\" for no limit",
                       text);
    }
    out->interval_us = (int64_t)SECOND_US * 1000 / rate;
    out->burst = burst;
    return 0;
}

/* ---- the table ---- */

void
budget_free(struct budget *b)
{
    if (b == NULL) {
        return;
    }
    (void)pthread_mutex_destroy(&b->lock);
    mem_free(b->chains);
    mem_free(b->entries);
    mem_free(b);
}

struct budget *
budget_new(const struct budget_limit *limit, size_t keys_max)
{
    struct budget *b = mem_new(sizeof(*b));
    uint32_t size = 1;
    struct err e;

    assert(keys_max > 0 && keys_max < INT32_MAX);
    (void)pthread_mutex_init(&b->lock, NULL);
    b->limit = *limit;
    b->n_max = (uint32_t)keys_max;
    b->newest = b->oldest = NONE;
    while (size < b->n_max) {
        size *= 2;
    }
    b->mask = size - 1;
    b->chains = mem_zalloc(size, sizeof(*b->chains)); /* 0: empty, else index + 1 */
    b->entries = mem_zalloc(keys_max, sizeof(*b->entries));
    if (random_bytes((uint8_t *)&b->seed, sizeof(b->seed), &e) != 0) {
        abort();
    }
    return b;
}

static void
set_key(struct entry *entry, struct span key)
{
    assert(key.n <= BUDGET_KEY_MAX);
    memset(entry->key, 0, sizeof(entry->key));
    if (key.n > 0) {
        memcpy(entry->key, key.p, key.n);
    }
}

/* Nobody who does not know the seed can choose keys that meet in one chain. */
static uint32_t *
chain_of(struct budget *b, const struct entry *entry)
{
    uint64_t x = b->seed;

    for (size_t i = 0; i < KEY_WORDS; i++) {
        x = (x ^ entry->key[i]) * 0xbf58476d1ce4e5b9U; /* SplitMix64, keyed at each step */
        x = (x ^ (x >> 27)) * 0x94d049bb133111ebU;
        x = (x ^ (x >> 31)) + b->seed;
    }
    return &b->chains[(uint32_t)(x >> 32) & b->mask];
}

static void
unlink_by_use(struct budget *b, uint32_t i)
{
    const struct entry *entry = &b->entries[i];

    *(entry->newer == NONE ? &b->newest : &b->entries[entry->newer].older) = entry->older;
    *(entry->older == NONE ? &b->oldest : &b->entries[entry->older].newer) = entry->newer;
}

static void
link_newest(struct budget *b, uint32_t i)
{
    struct entry *entry = &b->entries[i];

    entry->newer = NONE;
    entry->older = b->newest;
    *(b->newest == NONE ? &b->oldest : &b->entries[b->newest].newer) = i;
    b->newest = i;
}

static void
forget(struct budget *b, uint32_t i)
{
    uint32_t *link = chain_of(b, &b->entries[i]);

    while (*link != i + 1) {
        link = &b->entries[*link - 1].next;
    }
    *link = b->entries[i].next;
    unlink_by_use(b, i);
}

static struct entry *
find(struct budget *b, const struct entry *wanted, uint32_t *index)
{
    for (uint32_t i = *chain_of(b, wanted); i != 0; i = b->entries[i - 1].next) {
        if (memcmp(b->entries[i - 1].key, wanted->key, sizeof(wanted->key)) == 0) {
            *index = i - 1;
            return &b->entries[i - 1];
        }
    }
    return NULL;
}

/* A place for a newcomer, or NULL: every bucket is in use. */
static struct entry *
add(struct budget *b, const struct entry *wanted, int64_t now_us)
{
    uint32_t i = b->n;
    uint32_t *chain;

    if (b->n < b->n_max) {
        b->n++;
    } else if (b->entries[b->oldest].full_at_us <= now_us) {
        i = b->oldest;
        forget(b, i);
    } else {
        return NULL;
    }
    b->entries[i] = *wanted;
    chain = chain_of(b, wanted);
    b->entries[i].next = *chain;
    *chain = i + 1;
    link_newest(b, i);
    return &b->entries[i];
}

/* ---- tokens ---- */

static int
take(int64_t *full_at_us, int64_t interval_us, int64_t burst, int64_t now_us)
{
    int64_t full = *full_at_us > now_us ? *full_at_us : now_us;
    int64_t wait = full - now_us - (burst - 1) * interval_us;

    if (wait > 0) {
        int64_t seconds = (wait + SECOND_US - 1) / SECOND_US;

        return seconds > INT_MAX ? INT_MAX : (int)seconds;
    }
    *full_at_us = full + interval_us;
    return 0;
}

/* Under the lock, as the next. */
static int
take_for(struct budget *b, const struct entry *wanted, int64_t now_us)
{
    const struct budget_limit *limit = &b->limit;
    struct entry *entry;
    uint32_t i = 0;

    entry = find(b, wanted, &i);
    if (entry != NULL) {
        unlink_by_use(b, i);
        link_newest(b, i);
    } else {
        entry = add(b, wanted, now_us);
    }
    if (entry == NULL) {
        int64_t interval = limit->interval_us / BUDGET_SHARED;

        return take(&b->shared_full_at_us, interval > 0 ? interval : 1,
                    (int64_t)limit->burst * BUDGET_SHARED, now_us);
    }
    return take(&entry->full_at_us, limit->interval_us, limit->burst, now_us);
}

static void
give_back(struct budget *b, const struct entry *wanted)
{
    uint32_t i = 0;
    struct entry *entry = find(b, wanted, &i);

    if (entry != NULL) {
        entry->full_at_us -= b->limit.interval_us;
    }
}

int
budget_take(struct budget *b, struct span key, int64_t now_ms)
{
    struct entry wanted = {0};
    int wait;

    if (b->limit.interval_us == 0) {
        return 0;
    }
    set_key(&wanted, key);
    (void)pthread_mutex_lock(&b->lock);
    wait = take_for(b, &wanted, now_ms * 1000);
    (void)pthread_mutex_unlock(&b->lock);
    return wait;
}

void
budget_give_back(struct budget *b, struct span key)
{
    struct entry wanted = {0};

    set_key(&wanted, key);
    (void)pthread_mutex_lock(&b->lock);
    give_back(b, &wanted);
    (void)pthread_mutex_unlock(&b->lock);
}
