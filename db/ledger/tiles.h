/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tiles.h - the published form of a ledger: immutable files in the C2SP tlog-tiles layout.
 *
 *   checkpoint                      signed note, the only file that is replaced
 *   tile/<level>/<n>[.p/<w>]        w (1-255, or 256 without .p) hashes of tree level 8 * level
 *   tile/entries/<n>[.p/<w>]        the same leaves: each a length of 2 octets and the body
 *   tile/messages/<n>[.p/<w>]       what these leaves name by its SHA-256 (messages.h)
 *
 * n is written in groups of three digits, all but the last with an x: 1234067 is x001/x234/067.
 * Every file: temporary, fsync, rename; then fsync of the folders; the checkpoint last. A partial
 * file stays until the full one exists, so that a reader with an older checkpoint finds it; of
 * messages, which a reader can do without, the newest TILE_MESSAGES_KEPT stay.
 */
#pragma once

#include "base/tlog/merkle.h"

enum {
    TILE_WIDTH = 256,
    TILE_LEVELS = 8, /* 8 levels of 8: more than 2^62 leaves */
    TILE_FILE_MAX = TILE_WIDTH * MERKLE_HASH,
    BUNDLE_FILE_MAX = TILE_WIDTH * (2 + 65535),
    TILE_ENTRIES = -1,  /* instead of a level: the leaves themselves, */
    TILE_MESSAGES = -2, /* and what they name; it stands and falls with those */
    TILE_MESSAGES_KEPT = 8,
};

/* Path of a tile below `dir`; width TILE_WIDTH is the full one. */
char *tile_path(const char *dir, int level, uint64_t index, unsigned width) OWNED(mem_free);
/* The folder of a tile's partial files. */
char *tile_partials(const char *dir, int level, uint64_t index) OWNED(mem_free);

/* Where the published bytes come from; both append to `out`. */
struct tile_source {
    /* `count` hashes of tree level `level` from `begin`. */
    int (*hashes)(void *arg, unsigned level, uint64_t begin, uint64_t count, struct buf *out,
                  struct err *e);
    /* `count` leaves from `begin`, each with its length in front. */
    int (*leaves)(void *arg, uint64_t begin, uint64_t count, struct buf *out, struct err *e);
    /* What these leaves name; `before` is what was published of it, whoever edited that since.
     * NULL: nobody has that. */
    int (*messages)(void *arg, struct span leaves, struct span before, struct buf *out,
                    struct err *e);
    void *arg;
};

struct tiles_job {
    const char *dir;
    uint64_t from; /* leaves that are published already */
    uint64_t to;
    bool only_missing; /* leave alone what is there with its right size */
    struct tile_source source;
    struct span note; /* the checkpoint over `to` leaves */
};

/* Twice gives the same files: after a crash at any point do it again. */
int tiles_publish(const struct tiles_job *, struct err *e);

/* Puts full files that are missing: those whose last leaf, or hash, is behind the first `from`
 * leaves and within the first `to`. *put: so many. The checkpoint stays, and so `to` is at most
 * what is published. For what somebody lost; also takes away partial files that a full one stands
 * for. */
int tiles_mend(const struct tiles_job *, size_t *put, struct err *e);
