/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wal.h - FILE-wal: what SQLite reads and writes of it, and what there is. Private to db/pages/.
 *
 * Of a file that is not sealed it is SQLite's own, octet by octet, and its pages are remembered in
 * memory. Of a sealed file it is
 *
 *   header  "nfpkiwal", version (4 octets), octets of a page (4), seal of the header of FILE-seal
 *           that it goes on from (16), a random epoch (16), SQLite's header (32), the seal of all
 *           that (16)
 *   frames  SQLite's header of the frame (24), the frame that it goes on from, from 1 (4; 0: from
 *           zeros), octets of the change (4), the change (change.h), a seal (16): over the seal
 *           before it, the first one over that of the header, and all of the frame
 *
 * The first frame of a page is all of it, so nothing in the file is needed to read it, which a
 * crash may have left half written; a later one is what changed since an earlier one. After
 * WAL_DEPTH_MAX - 1 of those it is all of it again.
 *
 * SQLite sees it without our header and our seals. It ends for SQLite in front of the first seal
 * that is wrong: so it may be after a power cut, for nothing says in which order the disk took
 * what was not synced yet, so that is no sign of an edit. What was synced is whole, as far as
 * nobody cut it off; and nothing else can be in it.
 *
 * It goes on from the map that there is; or it is in the file already, as far as the map says
 * (slot.h). One that is in the file and was cut is ignored: some of its pages would be older ones
 * than those that the file has of the same transactions. Any other is refused.
 *
 * Frames are written once and in order (cache_spill=OFF); behind a rollback those of before are
 * written again, from one on.
 *
 * Frames are put together, and written at the latest when SQLite syncs: a kill before that is one
 * before the commit.
 *
 * Version 1 had all of the page in each frame, without the 8 octets before it, and its seals were
 * over SQLite's header and the page's tag. It is read, and never gone on with.
 *
 * In memory: 64 octets for each frame, and some pages (versions.h). Results are those of SQLite.
 */
#pragma once

#include <sqlite3.h>

#include "db/pages/slot.h"
#include "db/pages/versions.h"
#include "db/pages/watch.h"

enum { WAL_HEADER = 32, WAL_FRAME = 24, WAL_DEPTH_MAX = 64, WAL_BUCKETS = 4096 };

struct wal_frame {
    struct tag tag; /* its seal; of one that is not sealed, that of its page */
    /* Sealed. */
    uint8_t header[WAL_FRAME];
    uint64_t at;    /* where in the file, */
    uint32_t n;     /* and how many octets, with the seal */
    uint32_t base;  /* the frame that it goes on from, from 1; 0: none */
    uint32_t below; /* the frame before it whose page is in the same bucket, from 1; 0: none */
    uint32_t depth; /* frames that are read for it */
};

/* Frames that are not written yet. */
struct wal_pending {
    uint8_t *octets;
    size_t n;
    uint64_t at;
};

/* All zero with `keys` and `watch` is closed. */
struct wal {
    const struct tag_keys *keys;
    struct watch *watch;
    sqlite3_file *file;
    bool sealed;
    size_t page_size; /* 0: not known yet */
    struct wal_frame *frames;
    size_t n;
    size_t room;
    uint8_t *scratch;  /* one frame, as SQLite sees it */
    size_t in_scratch; /* which, from 1, verified; 0: none */
    /* Sealed. */
    bool begun; /* it has a header */
    uint32_t version;
    sqlite3_int64
        left;        /* octets of the file, with those of before: when there is more than frames */
    uint8_t *record; /* one frame, as it is in the file */
    struct wal_pending pending;
    struct versions versions;
    uint32_t newest[WAL_BUCKETS]; /* frame, from 1, of the pages in each */
    uint8_t header[WAL_HEADER];
    struct tag from; /* the seal of a slot */
    struct tag epoch;
    struct tag seal;  /* of the header */
    size_t committed; /* frames up to the last that ends a transaction */
    size_t next;      /* from 1: the header of this frame waits for its page; 0: none does */
    uint8_t next_header[WAL_FRAME];
};

/* `slot`: the file is sealed. */
int wal_open(struct wal *, sqlite3_file *, const struct slot *slot, bool has_key);
/* Before the file is sealed: nothing is in it, durably. Else SQLITE_MISUSE. */
int wal_settle(struct wal *);
/* Then it is. */
void wal_seal(struct wal *);
void wal_close(struct wal *);

int wal_read(struct wal *, void *out, int amount, sqlite3_int64 offset);
/* `slot` as it is now. */
int wal_write(struct wal *, const struct slot *slot, const void *from, int amount,
              sqlite3_int64 offset);
int wal_truncate(struct wal *, sqlite3_int64 size);
int wal_sync(struct wal *, int flags);
int wal_size(struct wal *, sqlite3_int64 *size);

/* Is there a frame with this page, from 0? */
bool wal_has(const struct wal *, uint64_t page);
/* As far as transactions go. False: there is none. */
bool wal_position(const struct wal *, struct slot_wal *);
