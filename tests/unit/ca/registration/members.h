/* SPDX-License-Identifier: Apache-2.0 */
/* members.h - the members of a good registration. */
#pragma once

#include "base/buf.h"

/* The document with `key` given as `value`: replaced, left out (NULL), or added when unknown;
 * NULL, NULL: as it is. buf_free() it. */
struct buf members_json(const char *key, const char *value);
