/* SPDX-License-Identifier: Apache-2.0 */
#include "db/audit/rules/heads.h"

#include <string.h>

#include "base/mem.h"
#include "db/ledger/leaf.h"

enum { BUCKETS = 1 << 16, STATE_MAX = 256 * 1024 * 1024 };

struct audit_heads {
    struct audit_head *buckets[BUCKETS];
    struct audit_head *places[BUCKETS];
    struct audit_head *oldest, *newest;
    size_t twice;
};

static void
head_free(struct audit_head *k)
{
    mem_free(k->ra);
    mem_free(k);
}

void
audit_heads_free(struct audit_heads *a)
{
    if (a == NULL) {
        return;
    }
    while (a->oldest != NULL) {
        struct audit_head *k = a->oldest;

        a->oldest = k->newer;
        head_free(k);
    }
    mem_free(a);
}

struct audit_heads *
audit_heads_new(void)
{
    return mem_new(sizeof(struct audit_heads));
}

static size_t
bucket_at(const uint8_t hash[SHA256_SIZE])
{
    return (size_t)(hash[0] << 8 | hash[1]) % BUCKETS;
}

/* Of an RA's queue as many places as a head may have are in one. */
static struct audit_head **
places_of(struct audit_heads *a, const struct queue_head *h, uint64_t slot)
{
    return &a->places[(slot + ((uint64_t)h->ra[0] << 8 | h->ra[1])) % BUCKETS];
}

const struct audit_head *
audit_heads_find(const struct audit_heads *a, const uint8_t hash[SHA256_SIZE])
{
    const struct audit_head *k = a->buckets[bucket_at(hash)];

    while (k != NULL && memcmp(k->hash, hash, sizeof(k->hash)) != 0) {
        k = k->next;
    }
    return k;
}

static void
forget_before(struct audit_heads *a, time_t limit)
{
    while (a->oldest != NULL && a->oldest->recorded < limit) {
        struct audit_head *k = a->oldest;
        struct audit_head **p = &a->buckets[bucket_at(k->hash)];

        while (*p != k) {
            p = &(*p)->next;
        }
        *p = k->next;
        for (p = places_of(a, &k->head, k->head.first / QUEUE_HEAD_SIZE_MAX); *p != k;) {
            p = &(*p)->near;
        }
        *p = k->near;
        a->oldest = k->newer;
        a->newest = a->oldest == NULL ? NULL : a->newest;
        head_free(k);
    }
}

static bool
overlap(const struct queue_head *a, const struct queue_head *b)
{
    return memcmp(a->ra, b->ra, sizeof(a->ra)) == 0 && a->first < b->first + b->size &&
           b->first < a->first + a->size;
}

/* One that has a place in common begins in the slot of one of these places, or in the one before.
 */
static void
count_twice(struct audit_heads *a, const struct queue_head *h)
{
    const uint64_t last = (h->first + h->size - 1) / QUEUE_HEAD_SIZE_MAX;
    uint64_t slot = h->first / QUEUE_HEAD_SIZE_MAX;
    bool found = false;

    for (slot -= slot > 0 ? 1 : 0; slot <= last && !found; slot++) {
        for (const struct audit_head *k = *places_of(a, h, slot); k != NULL && !found;
             k = k->near) {
            found = overlap(&k->head, h);
        }
    }
    a->twice += found ? 1 : 0;
}

static void
keep(struct audit_heads *a, struct audit_head *k)
{
    struct audit_head **bucket = &a->buckets[bucket_at(k->hash)];
    struct audit_head **place = places_of(a, &k->head, k->head.first / QUEUE_HEAD_SIZE_MAX);

    k->next = *bucket; /* in front of the same head, recorded before */
    *bucket = k;
    k->near = *place;
    *place = k;
    if (a->newest == NULL) {
        a->oldest = k;
    } else {
        a->newest->newer = k;
    }
    a->newest = k;
}

void
audit_heads_add(struct audit_heads *a, const struct queue_head *head,
                const uint8_t hash[SHA256_SIZE], time_t recorded, const char *ra)
{
    struct audit_head *k = mem_new(sizeof(*k));

    forget_before(a, recorded - LEAF_HEAD_AGE_MAX);
    if (audit_heads_find(a, hash) == NULL) {
        count_twice(a, head);
    }
    memcpy(k->hash, hash, sizeof(k->hash));
    k->head = *head;
    k->recorded = recorded;
    k->ra = mem_strdup(ra);
    keep(a, k);
}

size_t
audit_heads_twice(const struct audit_heads *a)
{
    return a->twice;
}

/* ---- state ---- */

/* There may be many: all of them are one text, of octets one behind the other. */
static int
put_number(struct buf *out, uint64_t n, struct err *e)
{
    uint8_t octets[sizeof(n)];

    for (size_t i = 0; i < sizeof(octets); i++) {
        octets[i] = (uint8_t)(n >> (8 * (sizeof(octets) - 1 - i)));
    }
    return buf_append(out, span_of(octets, sizeof(octets)), e);
}

static int
head_put(const struct audit_head *k, struct buf *out, struct err *e)
{
    const uint8_t length = (uint8_t)strlen(k->ra);

    return strlen(k->ra) > UINT8_MAX ||
                   buf_append(out, span_of(k->hash, sizeof(k->hash)), e) != 0 ||
                   buf_append(out, span_of(k->head.ra, sizeof(k->head.ra)), e) != 0 ||
                   buf_append(out, span_of(k->head.root.octets, MERKLE_HASH), e) != 0 ||
                   put_number(out, k->head.first, e) != 0 ||
                   put_number(out, k->head.size, e) != 0 ||
                   put_number(out, (uint64_t)k->recorded, e) != 0 ||
                   buf_append(out, span_of(&length, 1), e) != 0
               ? -1
               : buf_append(out, span_str(k->ra), e);
}

static bool
take(struct span *in, void *out, size_t n)
{
    if (in->n < n) {
        return false;
    }
    memcpy(out, in->p, n);
    *in = span_of(in->p + n, in->n - n);
    return true;
}

static bool
take_number(struct span *in, uint64_t *out)
{
    uint8_t octets[sizeof(*out)];

    if (!take(in, octets, sizeof(octets))) {
        return false;
    }
    *out = 0;
    for (size_t i = 0; i < sizeof(octets); i++) {
        *out = *out << 8 | octets[i];
    }
    return true;
}

static bool
head_take(struct span *in, struct audit_head *k)
{
    uint64_t recorded = 0;
    uint8_t length = 0;

    if (!take(in, k->hash, sizeof(k->hash)) || !take(in, k->head.ra, sizeof(k->head.ra)) ||
        !take(in, k->head.root.octets, MERKLE_HASH) || !take_number(in, &k->head.first) ||
        !take_number(in, &k->head.size) || !take_number(in, &recorded) || !take(in, &length, 1) ||
        in->n < length || k->head.size == 0) {
        return false;
    }
    k->recorded = (time_t)recorded;
    k->ra = mem_zalloc((size_t)length + 1, 1);
    return take(in, k->ra, length);
}

void
audit_heads_state(struct audit_heads *a, struct state *s)
{
    CLEANUP(buf_free) struct buf all = BUF_INIT(STATE_MAX);
    struct span rest;
    struct err e;

    for (const struct audit_head *k = s->saves ? a->oldest : NULL; k != NULL; k = k->newer) {
        if (head_put(k, &all, &e) != 0) {
            state_spoil(s);
            return;
        }
    }
    state_size(s, "twice", &a->twice);
    state_buf(s, "heads", &all, STATE_MAX);
    rest = s->saves ? span_of(NULL, 0) : buf_span(&all);
    while (rest.n > 0) {
        struct audit_head *one = mem_new(sizeof(*one));

        if (!head_take(&rest, one)) {
            head_free(one);
            state_spoil(s);
            return;
        }
        keep(a, one);
    }
}
