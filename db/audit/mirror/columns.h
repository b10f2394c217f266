/* SPDX-License-Identifier: Apache-2.0 */
/*
 * columns.h - the row that a leaf has for itself: a table of members and columns. Private to
 * db/audit/mirror/.
 */
#pragma once

#include "db/audit/mirror/sql.h"
#include "db/ledger/leaf.h"

/* `scratch`: LEAF_MAX octets. A kind that has no table of its own (ISSUED, CONFIRMED, REJECTED)
 * inserts nothing. */
int columns_insert(struct sql *, uint64_t index, const struct leaf *, uint8_t *scratch,
                   struct err *e);
/* A member as a value: hex as octets, taken from `*scratch`, which moves on; a time as seconds; all
 * others as they are. NULL when it is missing. */
struct sql_value columns_octets(const struct leaf *, const char *member, uint8_t **scratch);
struct sql_value columns_time(const struct leaf *, const char *member);
