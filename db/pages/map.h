/* SPDX-License-Identifier: Apache-2.0 */
/*
 * map.h - the seals of all pages: FILE-seal, or only in memory. Private to db/pages/.
 *
 * A tree with a fan-out of 256 and MAP_LEVELS levels, for 2^32 pages. A node is a block of 4096
 * octets: 256 tags, in the lowest level those of pages, above it those of nodes, each over level,
 * index and content. The root's tag is in the header.
 *
 * Never written where it is: header and nodes have two places each. The last bit of a node's tag
 * says which place it is in; it is the header's generation that says which header. map_write()
 * writes each node that changed to its other place, syncs, writes the other header, syncs. So a
 * crash leaves the tree of before, whole, or the new one.
 *
 * The file: two headers (slot.h), then in this order the root, its first child, that one's first
 * child, and so on, two blocks each: it is dense, and grows with the number of pages: 32 octets for
 * each page, 0.8 %.
 *
 * Results are those of SQLite. Pages and nodes count from 0 here, in what is told from 1.
 */
#pragma once

#include <sqlite3.h>

#include "db/pages/node.h"
#include "db/pages/slot.h"
#include "db/pages/watch.h"

enum { MAP_LEVELS = 4 };

/* All zero with `keys` and `watch` is an empty one in memory. */
struct map {
    const struct tag_keys *keys;
    struct watch *watch;
    sqlite3_file *file; /* borrowed; NULL: in memory */
    struct slot slot;   /* count and root are those of now, all else is the file's */
    struct slot found;  /* as it was opened */
    bool settled;       /* what was found is durable */
    bool changed;       /* since the file was written */
    bool broken;        /* writing failed: which places are free is not known any more */
    struct nodes nodes;
};

void map_clear(struct map *);

enum map_found {
    MAP_NONE, /* or one that was never finished */
    MAP_OURS, /* it is in the map now, which keeps the file */
    MAP_OTHER,
    MAP_EDITED,
};
/* Of a map that is empty. */
int map_open(struct map *, sqlite3_file *, enum map_found *found);
/* Has this file any header? For who has no key. */
int map_is_any(sqlite3_file *, bool *any);

/* The tag of a page, or none: not known (in memory), never written (in the file). */
int map_get(struct map *, uint64_t page, struct tag *tag);
/* The file is as long at least. */
int map_set(struct map *, uint64_t page, const struct tag *tag);
int map_resize(struct map *, uint64_t count);

/* What is in memory becomes that file's: map_write() then writes all of it. */
void map_attach(struct map *, sqlite3_file *);
/* What map_open() found may be in the kernel's memory alone: its header was written, and the sync
 * failed, behind which no other one brings it to the disk. So it is written once more. Before
 * anything rests on it; then it does nothing. */
int map_settle(struct map *);
/* All that changed, durably, with the WAL that is in the file. Settles it first. */
int map_write(struct map *, const struct slot_wal *);
