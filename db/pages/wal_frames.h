/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wal_frames.h - the frames of a sealed WAL: as they are in the file, and which there are. Private
 * to wal.c and chain.c. wal.h has what is in one.
 */
#pragma once

#include "db/pages/wal.h"

enum {
    FRAMES_BEGIN = 96, /* behind our header */
    FRAMES_VERSION = 2,
    FRAMES_WHOLE_PAGES = 1, /* the version that had them */
};

/* Of one, for SQLite. */
static inline size_t
wal_frames_size(const struct wal *wal)
{
    return WAL_FRAME + wal->page_size;
}

/* Frees what was there. */
void wal_frames_make_room(struct wal *, size_t page_size);
/* Where the one behind the first `n` is, in the file. */
uint64_t wal_frames_end(const struct wal *, size_t n);
/* The newest with this page, which counts from 0; from 1. 0: there is none. */
size_t wal_frames_newest(const struct wal *, uint64_t page);
/* Those from `n` on are not there any more. */
void wal_frames_cut(struct wal *, size_t n);

/* The one behind those that there are, when it is *whole. */
int wal_frames_load(struct wal *, bool *whole);
/* Frame `i`, from 0, into scratch, as SQLite sees it: what it is made of is the same as it was. */
int wal_frames_read(struct wal *, size_t i);
/* As frame `i`, and the last one, with next_header. */
int wal_frames_write(struct wal *, size_t i, const uint8_t *page);
/* What is put together goes into the file. */
int wal_frames_flush(struct wal *);
