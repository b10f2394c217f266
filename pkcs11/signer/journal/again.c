/* SPDX-License-Identifier: Apache-2.0 */
#include "pkcs11/signer/journal/again.h"

#include <inttypes.h>
#include <string.h>

enum { SLOTS = 2 * AGAIN_WINDOW }; /* a power of two */

struct seen {
    uint8_t serial[AGAIN_SERIAL];
    uint8_t hash[AGAIN_HASH];
    uint32_t next; /* in its slot: 1 + index; 0: the last */
};

/* A ring of the newest, each also in the list of its slot. */
struct again {
    struct seen ring[AGAIN_WINDOW];
    uint32_t slots[SLOTS]; /* 1 + index of the newest; 0: none */
    uint64_t n;            /* ever added */
    bool has_crl;
    struct crl_head crl;
};

void
again_free(struct again *a)
{
    mem_free(a);
}

struct again *
again_new(void)
{
    return mem_new(sizeof(struct again));
}

/* Serial numbers are random behind their first two bits. */
static uint32_t
slot_of(const uint8_t serial[AGAIN_SERIAL])
{
    uint32_t slot = 0;

    for (size_t i = AGAIN_SERIAL - 4; i < AGAIN_SERIAL; i++) {
        slot = slot << 8 | serial[i];
    }
    return slot % SLOTS;
}

static const struct seen *
find(const struct again *a, const uint8_t serial[AGAIN_SERIAL])
{
    for (uint32_t at = a->slots[slot_of(serial)]; at != 0; at = a->ring[at - 1].next) {
        if (memcmp(a->ring[at - 1].serial, serial, AGAIN_SERIAL) == 0) {
            return &a->ring[at - 1];
        }
    }
    return NULL;
}

int
again_check_certificate(const struct again *a, const uint8_t serial[AGAIN_SERIAL],
                        const uint8_t hash[AGAIN_HASH], struct err *e)
{
    const struct seen *seen = find(a, serial);
    char hex[2 * AGAIN_SERIAL + 1];

    if (seen == NULL || memcmp(seen->hash, hash, AGAIN_HASH) == 0) {
        return 0;
    }
    hex_format(span_of(serial, AGAIN_SERIAL), hex);
    return err_set(e, ERR_DENIED, "serial number %s again, with other octets", hex);
}

/* The oldest leaves its slot. */
static void
forget(struct again *a, uint32_t index)
{
    uint32_t *at = &a->slots[slot_of(a->ring[index].serial)];

    while (*at != index + 1) {
        at = &a->ring[*at - 1].next;
    }
    *at = a->ring[index].next;
}

void
again_add_certificate(struct again *a, const uint8_t serial[AGAIN_SERIAL],
                      const uint8_t hash[AGAIN_HASH])
{
    const uint32_t index = (uint32_t)(a->n % AGAIN_WINDOW);
    const uint32_t slot = slot_of(serial);
    struct seen *seen = &a->ring[index];

    if (find(a, serial) != NULL) {
        return; /* the same octets */
    }
    if (a->n >= AGAIN_WINDOW) {
        forget(a, index);
    }
    memcpy(seen->serial, serial, AGAIN_SERIAL);
    memcpy(seen->hash, hash, AGAIN_HASH);
    seen->next = a->slots[slot];
    a->slots[slot] = index + 1;
    a->n++;
}

int
again_check_crl(const struct again *a, const struct crl_head *next, time_t now, struct err *e)
{
    const struct crl_head none = {.this_update = INT64_MIN};
    const struct crl_head *last = a->has_crl ? &a->crl : &none;

    if (next->number < last->number) {
        return err_set(e, ERR_DENIED, "CRL number %" PRIu64 " after %" PRIu64, next->number,
                       last->number);
    }
    if (a->has_crl && next->number == last->number &&
        memcmp(next->hash, last->hash, AGAIN_HASH) != 0) {
        return err_set(e, ERR_DENIED, "CRL number %" PRIu64 " again, with other octets",
                       next->number);
    }
    if (next->number - last->number > AGAIN_CRL_STEP) {
        return err_set(e, ERR_DENIED, "CRL number %" PRIu64 " is more than %d behind %" PRIu64,
                       next->number, AGAIN_CRL_STEP, last->number);
    }
    if (next->this_update < last->this_update) {
        return err_set(e, ERR_DENIED, "thisUpdate goes back by %" PRId64 " s",
                       last->this_update - next->this_update);
    }
    if (next->this_update > last->this_update && next->this_update - AGAIN_AHEAD_S > now) {
        return err_set(e, ERR_DENIED, "thisUpdate is %" PRId64 " s ahead of this signer's clock",
                       next->this_update - (int64_t)now);
    }
    return 0;
}

void
again_add_crl(struct again *a, const struct crl_head *head)
{
    a->crl = *head;
    a->has_crl = true;
}

size_t
again_count(const struct again *a)
{
    return a->n < AGAIN_WINDOW ? (size_t)a->n : AGAIN_WINDOW;
}

int
again_each(const struct again *a,
           int (*visit)(void *arg, const uint8_t serial[AGAIN_SERIAL],
                        const uint8_t hash[AGAIN_HASH], struct err *e),
           void *arg, struct err *e)
{
    for (uint64_t i = a->n - again_count(a); i < a->n; i++) {
        const struct seen *seen = &a->ring[i % AGAIN_WINDOW];

        if (visit(arg, seen->serial, seen->hash, e) != 0) {
            return -1;
        }
    }
    return 0;
}

const struct crl_head *
again_crl(const struct again *a)
{
    return a->has_crl ? &a->crl : NULL;
}
