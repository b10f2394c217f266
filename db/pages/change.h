/* SPDX-License-Identifier: Apache-2.0 */
/*
 * change.h - what a page became: ranges of its octets, one behind the other. Private to db/pages/.
 *
 * A range is where it begins (2 octets), how many octets it has, less one (2), and these. Ranges
 * do not touch, and those that are near each other are one.
 */
#pragma once

#include <stdbool.h>

#include "base/buf.h"

enum { CHANGE_RANGE = 4 };

/* Octets that any change of such a page has at most. */
static inline size_t
change_max(size_t page_size)
{
    return page_size + CHANGE_RANGE;
}

/* From one content (NULL: zeros) to another. Returns how many octets of `out`, which has room for
 * change_max(). */
size_t change_encode(const uint8_t *from, const uint8_t *to, size_t page_size, uint8_t *out);
/* False: it is none. The page has a part of it then. */
bool change_apply(struct span change, uint8_t *page, size_t page_size);
