/* SPDX-License-Identifier: Apache-2.0 */
/* Open addressing. Nothing is taken out but when the table is made anew, which is when it is half
 * full: with what has not ended, and larger when that would be more than a quarter. */
#include "db/audit/rules/ending.h"

#include <string.h>

#include "base/ossl.h"
#include "base/tlog/merkle.h"

enum { SIZE_MIN = 1024 };

struct audit_endings {
    struct audit_ending *slots; /* serial.n 0: free */
    size_t size;                /* a power of two */
    size_t n;
};

void
audit_endings_free(struct audit_endings *t)
{
    if (t != NULL) {
        mem_free(t->slots);
        mem_free(t);
    }
}

struct audit_endings *
audit_endings_new(void)
{
    struct audit_endings *t = mem_new(sizeof(*t));

    t->size = SIZE_MIN;
    t->slots = mem_zalloc(t->size, sizeof(*t->slots));
    return t;
}

int
audit_serial_parse(const char *hex, struct audit_serial *out, struct err *e)
{
    const size_t n = strlen(hex) / 2;

    memset(out, 0, sizeof(*out));
    if (n == 0 || n > AUDIT_SERIAL_MAX) {
        return err_set(e, ERR_CRYPTO, "%.80s is no serial number", hex);
    }
    out->n = (uint8_t)n;
    return hex_parse(hex, out->octets, n, e);
}

int
audit_serial_compare(const struct audit_serial *a, const struct audit_serial *b)
{
    return a->n != b->n ? (int)a->n - (int)b->n : memcmp(a->octets, b->octets, a->n);
}

/* Where it is, or would be. By SHA-256: who chooses serial numbers does not choose slots. */
static struct audit_ending *
slot_of(const struct audit_endings *t, const struct audit_serial *serial)
{
    const struct merkle_hash hash = merkle_leaf(span_of(serial->octets, serial->n));
    size_t first;

    memcpy(&first, hash.octets, sizeof(first));
    for (size_t at = first;; at++) {
        struct audit_ending *slot = &t->slots[at & (t->size - 1)];

        if (slot->serial.n == 0 || audit_serial_compare(&slot->serial, serial) == 0) {
            return slot;
        }
    }
}

static void
make_room(struct audit_endings *t, time_t forget)
{
    struct audit_ending *old = t->slots;
    const size_t size = t->size;
    size_t kept = 0;

    for (size_t i = 0; i < size; i++) {
        kept += old[i].serial.n > 0 && old[i].not_after >= forget ? 1 : 0;
    }
    t->size = kept > size / 4 ? 2 * size : size;
    t->slots = mem_zalloc(t->size, sizeof(*t->slots));
    t->n = kept;
    for (size_t i = 0; i < size; i++) {
        if (old[i].serial.n > 0 && old[i].not_after >= forget) {
            *slot_of(t, &old[i].serial) = old[i];
        }
    }
    mem_free(old);
}

void
audit_endings_add(struct audit_endings *t, const struct audit_serial *serial, time_t not_after,
                  time_t forget)
{
    struct audit_ending *slot;

    if (t->n >= t->size / 2) {
        make_room(t, forget);
    }
    slot = slot_of(t, serial);
    if (slot->serial.n == 0) {
        *slot = (struct audit_ending){.serial = *serial, .not_after = not_after};
        t->n++;
    } else if (slot->not_after < not_after) {
        slot->not_after = not_after;
    }
}

struct audit_ending *
audit_endings_find(const struct audit_endings *t, const struct audit_serial *serial)
{
    struct audit_ending *slot = slot_of(t, serial);

    return slot->serial.n == 0 ? NULL : slot;
}
