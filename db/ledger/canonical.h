/* SPDX-License-Identifier: Apache-2.0 */
/*
 * canonical.h - the octets of a leaf: what json_dumps() makes with JSON_COMPACT, JSON_SORT_KEYS and
 * JSON_ENSURE_ASCII, octet for octet. jansson asks of each character whether it must be escaped and
 * hands on each piece of a text by itself; hardly a text here has such a character, and those that
 * have are jansson's to write.
 */
#pragma once

#include <jansson.h>
#include <stddef.h>

#include "base/mem.h"

/* Of an object with texts, integers and truth values, whose names need no escaping. NUL behind
 * `*octets` octets. */
char *canonical_dup(json_t *object, size_t *octets) OWNED(mem_free);
