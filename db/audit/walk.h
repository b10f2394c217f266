/* SPDX-License-Identifier: Apache-2.0 */
/*
 * walk.h - every leaf of a ledger in order, each verified by the tile above it, and every
 * tile and every old partial file on the way. Memory: two bundles of entries.
 */
#pragma once

#include "db/audit/files.h"
#include "db/ledger/leaf.h"

/* Told of every leaf after its hash was verified; `file` is where it stands. */
typedef int audit_each(void *arg, uint64_t index, const char *file, struct span body,
                       struct err *e);
/* ERR_CRYPTO, ERR_INPUT, ERR_NOTFOUND or ERR_IO names the file and the leaf. */
int audit_walk(struct audit_log *, audit_each *each, void *arg, struct err *e);
/* The same from the bundle of the leaf `from` on: what is before it was verified earlier, in a tree
 * that is the beginning of this one (audit_consistency). */
int audit_walk_from(struct audit_log *, uint64_t from, audit_each *each, void *arg, struct err *e);
