/* SPDX-License-Identifier: Apache-2.0 */
/* seen.h - what was seen in the record, by a text: a serial number, a key's hash, a name. */
#pragma once

#include "base/mem.h"

struct seen;
/* `release` (or NULL) is called with each value that is left. */
struct seen *seen_new(void (*release)(void *value));
void seen_free(struct seen *);
DEFINE_CLEANUP(seen_cleanup, struct seen, seen_free)

/* NULL: there is none. Borrowed. */
void *seen_find(const struct seen *, const char *key);
/* Takes the value; there was none under this key. The key is copied. */
void seen_add(struct seen *, const char *key, void *value);
/* The value is the caller's then; NULL: there is none. */
void *seen_take(struct seen *, const char *key);
/* In ascending order of the keys. */
void seen_each(const struct seen *, void (*each)(void *arg, const char *key, void *value),
               void *arg);
