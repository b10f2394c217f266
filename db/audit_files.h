/* SPDX-License-Identifier: Apache-2.0 */
/*
 * audit_files.h - the published folder of a ledger, as an auditor reads it: verified top down.
 *
 * The log key verifies the checkpoint, the checkpoint's root verifies the tiles at the right edge
 * of the tree, each tile verifies the tiles below it, and the tiles of level 0 verify the entries.
 * What comes out of here was verified that way; the reason of a failure names the file and, where
 * there is one, the leaf. Nothing is read twice after it was verified, so a file that changes
 * meanwhile is noticed. Memory: two tiles per level and one bundle of entries.
 *
 * Reads files only; shares with the writer the tree's hashing (merkle.h), the form of checkpoints
 * (checkpoint.h) and of leaves (leaf.h), not a line that finds, names or reads a tile.
 */
#pragma once

#include "db/checkpoint.h"
#include "db/leaf.h"

struct audit_log;
void audit_close(struct audit_log *);
/* Verifies the checkpoint and the right edge. With a `trusted` key, DIR/log.vkey must be the same;
 * without one (NULL) the key in DIR/log.vkey is taken on trust. */
struct audit_log *audit_open(const char *dir, const struct log_key *trusted, struct err *e)
    OWNED(audit_close);
DEFINE_CLEANUP(audit_log_cleanup, struct audit_log, audit_close)

/* Borrowed. */
const struct checkpoint *audit_checkpoint(const struct audit_log *);
struct span audit_note(const struct audit_log *);
const struct log_key *audit_key(const struct audit_log *);

/* Told of every leaf in order, after its hash was verified. */
typedef int audit_each(void *arg, uint64_t index, struct span body, struct err *e);
/* Reads and verifies every entry, every tile, and every old partial file that is still there. */
int audit_walk(struct audit_log *, audit_each *each, void *arg, struct err *e);

/* The name of the file that the last bundle of the walk came from; borrowed. */
const char *audit_file(const struct audit_log *);

/* Makes the audit path of a leaf from the tiles and verifies it against the checkpoint. */
int audit_inclusion(struct audit_log *, uint64_t index, const struct merkle_hash *leaf,
                    struct merkle_proof *, struct err *e);
/* The earlier checkpoint is about a beginning of this log. ERR_CONFLICT "rolled back" or "fork". */
int audit_consistency(struct audit_log *, const struct checkpoint *earlier, struct err *e);
