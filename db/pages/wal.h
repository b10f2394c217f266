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
 *   frames  SQLite's header of the frame (24), the page, a seal (16): over the seal before it, the
 *           first one over that of the header, the frame's header, and the page's tag
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
 * In memory: 56 octets for each frame. Results are those of SQLite.
 */
#pragma once

#include <sqlite3.h>

#include "db/pages/slot.h"
#include "db/pages/watch.h"

enum { WAL_HEADER = 32, WAL_FRAME = 24 };

struct wal_frame {
    uint8_t header[WAL_FRAME]; /* sealed */
    struct tag page;
    struct tag seal; /* sealed */
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
    uint8_t *scratch;  /* one frame, as it is in the file */
    size_t in_scratch; /* which, from 1, verified; 0: none */
    /* Sealed. */
    bool begun;  /* it has a header */
    size_t left; /* frames that there is room for: of before, behind those of now */
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
int wal_size(struct wal *, sqlite3_int64 *size);

/* Is there a frame with this page, from 0? */
bool wal_has(const struct wal *, uint64_t page);
/* The tag of a page that was read of it just now: SQLite brings it into the file. */
bool wal_knows(const struct wal *, uint64_t page, struct span content, struct tag *tag);
/* As far as transactions go. False: there is none. */
bool wal_position(const struct wal *, struct slot_wal *);
