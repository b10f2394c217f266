/* SPDX-License-Identifier: Apache-2.0 */
/*
 * registered.h - what a registrar signed for a network function, as rows: its home domain, and what
 * it allows. Private to db/audit/mirror/.
 */
#pragma once

#include "db/audit/mirror/sql.h"
#include "db/ledger/leaf.h"

/* Of a REGISTRATION that was verified, behind its own row; one without evidence has no such rows.
 */
int registered_add(struct sql *, uint64_t index, const struct leaf *, struct err *e);
