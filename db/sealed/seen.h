/* SPDX-License-Identifier: Apache-2.0 */
/* seen.h - a set of numbers that nobody can choose. 8 to 16 octets each. Private to db/sealed/. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* All zero is empty. */
struct seen {
    uint64_t *numbers; /* 0: none */
    size_t room;       /* a power of two, or 0 */
    size_t n;
};

/* A number is never 0. */
bool seen_has(const struct seen *, uint64_t number);
/* It may be there. */
void seen_add(struct seen *, uint64_t number);
/* Empty again. */
void seen_end(struct seen *);
