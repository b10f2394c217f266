/* SPDX-License-Identifier: Apache-2.0 */
/*
 * effects.h - what a leaf changes in the rows of leaves before it: what became of a certificate and
 * of a registration, its names, days and gaps. Private to db/audit/mirror/.
 */
#pragma once

#include "db/audit/mirror/sql.h"
#include "db/ledger/leaf.h"

struct effects;
void effects_free(struct effects *);
/* Goes on behind the leaves that are there. */
struct effects *effects_new(struct sql *, struct err *e) OWNED(effects_free);
/* The next leaf, behind its own row. `scratch`: LEAF_MAX octets. */
int effects_add(struct effects *, uint64_t index, const struct leaf *, uint8_t *scratch,
                struct err *e);
/* Before the transaction ends. */
int effects_flush(struct effects *, struct err *e);
