/* SPDX-License-Identifier: Apache-2.0 */
/*
 * body.h - FILE itself, and its map. Private to db/pages/.
 *
 * SQLite writes it only when it brings the WAL into it, and syncs it then, before the WAL may begin
 * anew. body_sync() writes the map behind that: so whenever power is cut, what the file has is what
 * the map says, but for pages whose newer content is in the WAL, which SQLite reads from there.
 *
 * Its length is the one that the map says. Up to 100 octets at its beginning are given as they are:
 * SQLite takes the page size from them, before it has a lock, and sees whether somebody else wrote.
 * Nothing rests on them: with a wrong page size no read is one of ours, and page 1 is read whole
 * before anything of it is believed.
 */
#pragma once

#include "db/pages/map.h"
#include "db/pages/wal.h"

/* All that belongs to one file; pages.h has what others may do with it. */
struct pages {
    sqlite3_vfs vfs;
    sqlite3_vfs *system;
    char name[48];
    struct tag_keys keys;
    struct watch watch;
    struct map map;
    struct wal wal;
    sqlite3_file *main;     /* the system's, SQLite's room; NULL: closed */
    sqlite3_file *map_file; /* the system's, our room; NULL: closed */
    char *map_name;
    size_t page_size; /* 0: not known yet */
    uint8_t *scratch; /* one page */
    bool has_key;
    bool loaded;
    bool sealed;
};

/* Is it sealed? Once there is a lock: whoever else has it open may be writing the map. */
int body_load(struct pages *);
void body_close(struct pages *);

int body_read(struct pages *, void *out, int amount, sqlite3_int64 offset);
int body_write(struct pages *, const void *from, int amount, sqlite3_int64 offset);
int body_truncate(struct pages *, sqlite3_int64 size);
int body_sync(struct pages *, int flags);
int body_size(struct pages *, sqlite3_int64 *size);

void body_set_page_size(struct pages *, size_t size);
/* Reads page `i`, from 0, as SQLite would. One whose newer content is in the WAL may differ: a
 * crash left it so, or it is written anew. */
int body_compare(struct pages *, uint64_t i);
/* The tags in memory are of all pages: makes the map of them. */
int body_seal(struct pages *);
