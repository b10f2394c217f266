/* SPDX-License-Identifier: Apache-2.0 */
#include "db/pages/change.h"

#include <string.h>

#include "db/pages/tag.h"

/* Octets that are compared at once: as many that are the same end a range. */
enum { STEP = sizeof(uint64_t) };

static uint64_t
difference(const uint8_t *from, const uint8_t *to, size_t i)
{
    uint64_t a = 0;
    uint64_t b;

    memcpy(&b, to + i, sizeof(b));
    if (from != NULL) {
        memcpy(&a, from + i, sizeof(a));
    }
    return a ^ b;
}

static bool
differs(const uint8_t *from, const uint8_t *to, size_t i)
{
    return to[i] != (from == NULL ? 0 : from[i]);
}

/* The first that differs, from `i` on. */
static size_t
find_next(const uint8_t *from, const uint8_t *to, size_t i, size_t n)
{
    while (i + STEP <= n && difference(from, to, i) == 0) {
        i += STEP;
    }
    while (i < n && !differs(from, to, i)) {
        i++;
    }
    return i;
}

/* Behind the last that differs of those that are near each other, from `i` on, which does. */
static size_t
find_end(const uint8_t *from, const uint8_t *to, size_t i, size_t n)
{
    while (i + STEP <= n && difference(from, to, i) != 0) {
        i += STEP;
    }
    i = i + STEP > n ? n : i;
    while (!differs(from, to, i - 1)) {
        i--;
    }
    return i;
}

static size_t
put_range(uint8_t *out, const uint8_t *to, size_t begin, size_t end)
{
    octets_put(out, begin, 2);
    octets_put(out + 2, end - begin - 1, 2);
    memcpy(out + CHANGE_RANGE, to + begin, end - begin);
    return CHANGE_RANGE + end - begin;
}

size_t
change_encode(const uint8_t *from, const uint8_t *to, size_t page_size, uint8_t *out)
{
    size_t used = 0;

    for (size_t i = find_next(from, to, 0, page_size); i < page_size;) {
        const size_t end = find_end(from, to, i, page_size);

        if (used + CHANGE_RANGE + end - i > page_size) {
            return put_range(out, to, 0, page_size);
        }
        used += put_range(out + used, to, i, end);
        i = find_next(from, to, end, page_size);
    }
    return used;
}

bool
change_apply(struct span change, uint8_t *page, size_t page_size)
{
    while (change.n >= CHANGE_RANGE) {
        const size_t begin = (size_t)octets_get(change.p, 2);
        const size_t n = (size_t)octets_get(change.p + 2, 2) + 1;

        if (n > change.n - CHANGE_RANGE || begin > page_size || n > page_size - begin) {
            return false;
        }
        memcpy(page + begin, change.p + CHANGE_RANGE, n);
        change = span_of(change.p + CHANGE_RANGE + n, change.n - CHANGE_RANGE - n);
    }
    return change.n == 0;
}
