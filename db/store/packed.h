/* SPDX-License-Identifier: Apache-2.0 */
/*
 * packed.h - octets that are much like others of their kind take less room in a column.
 *
 * A value is as it is, or it is a zstd frame (RFC 8878) whose magic number gave way to a 0 and the
 * number of the dictionary, 3 octets, big endian; dictionary 0 has nothing in it. What begins with
 * 0 is packed, so what begins with 0 itself always is.
 *
 * Dictionaries are a few values of before, in a table that the schema of whoever packs has, and
 * that nothing is ever removed from:
 *
 *   CREATE TABLE dictionary (
 *     id     INTEGER PRIMARY KEY CHECK (id BETWEEN 1 AND 16777215),
 *     kind   TEXT NOT NULL,
 *     octets BLOB NOT NULL
 *   ) STRICT;
 *   CREATE INDEX dictionary_kind ON dictionary (kind, id);
 *
 * One is tried from time to time beside the one in use, and takes its place where it makes values
 * shorter by a fifth.
 *
 * In SQL unpacked(X) is the value, also of one that is not packed, and NULL of NULL. What does not
 * decode, has no dictionary, or one that was not made here, or would have more than PACKED_MAX
 * octets ends the statement with ERR_STALE. Whoever compares or hashes octets does so with those.
 */
#pragma once

#include "db/store/store.h"

enum { PACKED_MAX = 128 * 1024 };

/* In an operation. `kind` is what they are like, constant text: "tbs". `out` is freed
 * first. */
int packed_make(struct store_db *, const char *kind, struct span octets, struct buf *out,
                struct err *e);
