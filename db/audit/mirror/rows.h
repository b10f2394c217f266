/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rows.h - what a leaf says becomes rows of the mirror (mirror.sql): one of its own (columns.c says
 * which member is which column), and what it changes in those of leaves before (effects.c). Private
 * to db/audit/mirror/.
 */
#pragma once

#include "db/audit/mirror/sql.h"
#include "db/ledger/leaf.h"

struct rows;
void rows_free(struct rows *);
/* Goes on behind the leaves that are there. */
struct rows *rows_new(struct sql *, struct err *e) OWNED(rows_free);
DEFINE_CLEANUP(rows_cleanup, struct rows, rows_free)
/* The next leaf, which is verified. */
int rows_add(struct rows *, uint64_t index, const struct leaf *, struct err *e);
/* Before the transaction ends. */
int rows_flush(struct rows *, struct err *e);
