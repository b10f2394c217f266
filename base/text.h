/* SPDX-License-Identifier: Apache-2.0 */
/*
 * text.h - octets that others chose, for the eyes of people. Pure and thread-safe.
 */
#pragma once

#include <stdint.h>

#include "base/buf.h"

/* For `n` octets, with a NUL. */
#define TEXT_SHOWN_SIZE(n) (4 * (n) + 1)

/* The character at the beginning of `octets`: how many octets it has, 0 when there is no UTF-8 (or
 * nothing at all). */
size_t text_character(struct span octets, uint32_t *code);

/* Neither control character nor mark of direction, not invisible, and a character at all. */
bool text_is_visible(uint32_t code);

/* UTF-8 as it is, but for what drives a terminal or hides itself: control characters, marks of
 * direction, invisible ones. These and whatever is no UTF-8 become \xHH, octet by octet. `out` has
 * TEXT_SHOWN_SIZE(octets.n); the result is UTF-8. */
void text_show(struct span octets, char *out);
