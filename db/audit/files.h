/* SPDX-License-Identifier: Apache-2.0 */
/*
 * files.h - the published folder of a ledger, as an auditor reads it: verified top down.
 *
 * The log key verifies the checkpoint, the checkpoint's root verifies the tiles at the right edge
 * of the tree, each tile verifies the tiles below it, and the tiles of level 0 verify the entries.
 * What comes out of here was verified that way; the reason of a failure names the file and, where
 * there is one, the leaf. Nothing is read twice after it was verified, so a file that changes
 * meanwhile is noticed. Memory: two tiles per level.
 *
 * Reads files only; shares with the writer the tree's hashing (merkle.h), the form of checkpoints
 * (checkpoint.h) and of leaves (ledger/leaf.h), not a line that finds, names or reads a tile.
 */
#pragma once

#include "base/tlog/checkpoint.h"

enum {
    AUDIT_WIDTH = 256,   /* hashes in a full tile, entries in a full bundle (C2SP tlog-tiles) */
    AUDIT_LEVELS = 8,    /* of tiles */
    AUDIT_ENTRIES = -1,  /* instead of a level: the bundles of entries, */
    AUDIT_MESSAGES = -2, /* and of what these name (ledger/messages.h) */
    AUDIT_NAME_MAX = 96,
    AUDIT_TILE_SIZE = AUDIT_WIDTH * MERKLE_HASH,
};

struct audit_log;
void audit_close(struct audit_log *);
/* Verifies the checkpoint and the right edge. With a `trusted` key, DIR/log.vkey must be the same;
 * without one (NULL) the key in DIR/log.vkey is taken on trust. */
struct audit_log *audit_open(const char *dir, const struct log_key *trusted, struct err *e)
    OWNED(audit_close);
/* The same, with this checkpoint instead of the one in the folder, which may be without one; the
 * key is that of who asks, whatever the folder says. */
struct audit_log *audit_open_at(const char *dir, const struct log_key *, struct span note,
                                struct err *e) OWNED(audit_close);
DEFINE_CLEANUP(audit_log_cleanup, struct audit_log, audit_close)

/* Borrowed. */
const struct checkpoint *audit_checkpoint(const struct audit_log *);
struct span audit_note(const struct audit_log *);
const struct log_key *audit_key(const struct audit_log *);
/* Somebody gave the key; else it is what the ledger itself says. */
bool audit_key_is_given(const struct audit_log *);
const char *audit_dir(const struct audit_log *);

/* ---- files ---- */

/* "tile/0/x001/234" */
void audit_name(int level, uint64_t index, char name[AUDIT_NAME_MAX]);
/* A file of the folder; nothing is verified. */
int audit_read(const struct audit_log *, const char *name, struct buf *out, struct err *e);
/* The full file (*full), else the partial one of `width`; `name` is the one that was read, or that
 * is missing. Nothing is verified. */
int audit_read_tile(const struct audit_log *, int level, uint64_t index, unsigned width,
                    char name[AUDIT_NAME_MAX], bool *full, struct buf *out, struct err *e);
/* The n-th file of messages, which the checkpoint covers or begins; nothing is verified. */
int audit_read_messages(const struct audit_log *, uint64_t n, struct buf *out, struct err *e);

/* ---- tiles ---- */

struct audit_tile {
    bool loaded;
    uint64_t index;
    char name[AUDIT_NAME_MAX];
    struct merkle_hash hashes[AUDIT_WIDTH];
};
/* Hashes of a level of tiles that the checkpoint covers. */
uint64_t audit_level_size(const struct audit_log *, unsigned level);
/* A verified tile that the checkpoint covers, borrowed until the next call; NULL + e. Of the last
 * one only the hashes up to audit_level_size() are there. */
const struct audit_tile *audit_tile(struct audit_log *, unsigned level, uint64_t index,
                                    struct err *e);

/* Are these the hashes of a full tile that the checkpoint covers, whatever the folder has for it?
 * ERR_INPUT when the tile above says that they are not. */
int audit_tile_check(struct audit_log *, unsigned level, uint64_t index, struct span octets,
                     struct err *e);

/* ---- proofs ---- */

/* Makes the audit path of a leaf from the tiles and verifies it against the checkpoint. */
int audit_inclusion(struct audit_log *, uint64_t index, const struct merkle_hash *leaf,
                    struct merkle_proof *, struct err *e);
/* The earlier checkpoint is about a beginning of this log. ERR_CONFLICT "rolled back" or "fork". */
int audit_consistency(struct audit_log *, const struct checkpoint *earlier, struct err *e);
