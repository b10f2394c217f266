/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rows.h - what the checkpoints (ledger.c) need of the leaves and nodes in the database.
 * Private to db/ledger/.
 */
#pragma once

#include "base/tlog/merkle.h"
#include "db/ledger/ledger.h"

/* Column 0. ERR_STORE when it is no hash. */
int ledger_copy_hash(const struct store_rows *, struct merkle_hash *out, struct err *e);
/* ledger_root() as a hash. */
int ledger_root_at(struct store_db *, uint64_t size, struct merkle_hash *root, struct err *e);
/* The same for a checkpoint over all leaves or few less; and what the next call of these two needs
 * of it stays in memory. */
int ledger_prepare_root(struct store_db *, uint64_t size, struct merkle_hash *root, struct err *e);
/* Appends the hashes of the right edge of the first `size` leaves, largest subtree first. */
int ledger_append_edge(struct store_db *, uint64_t size, struct buf *out, struct err *e);
/* For a tile_source (tiles.h; source.h). */
int ledger_append_hashes(struct store_db *, unsigned level, uint64_t begin, uint64_t count,
                         struct buf *out, struct err *e);
int ledger_append_leaves(struct store_db *, uint64_t begin, uint64_t count, struct buf *out,
                         struct err *e);
