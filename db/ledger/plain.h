/* SPDX-License-Identifier: Apache-2.0 */
/*
 * plain.h - the members of a leaf that has nothing to escape, which is nearly every one: an object
 * of texts, integers and booleans, compact, with sorted names, in printable ASCII without quotes
 * and backslashes. Whatever is otherwise is not read here but by the library (leaf.c): what is
 * read here has the members that the library would find, and it would write the same octets.
 */
#pragma once

#include <stdint.h>

#include "base/buf.h"

enum plain_type { PLAIN_OTHER, PLAIN_TEXT, PLAIN_INT, PLAIN_BOOL };

struct plain_member {
    const char *name;
    enum plain_type type;
    const char *text; /* PLAIN_TEXT */
    int64_t number;   /* else; true is 1 */
};

struct plain;
void plain_free(struct plain *);
/* NULL: it is not plain. */
struct plain *plain_read(struct span octets) OWNED(plain_free);
/* Borrowed; NULL when there is none. */
const struct plain_member *plain_find(const struct plain *, const char *name);
size_t plain_count(const struct plain *);
