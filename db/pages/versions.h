/* SPDX-License-Identifier: Apache-2.0 */
/*
 * versions.h - pages as they were written last, in memory: what the next change of one is computed
 * from. Private to wal_frames.c.
 *
 * At most VERSIONS_SETS * VERSIONS_WAYS of them, 1 MB of 4 KB each; the ones that were written
 * last. One that is not here is read again.
 */
#pragma once

#include <stdint.h>

#include "base/mem.h"

enum { VERSIONS_SETS = 64, VERSIONS_WAYS = 4 };

struct version {
    uint64_t page;
    size_t frame; /* of the WAL that it is in, from 1; 0: there is none */
    uint8_t *octets;
};

/* All zero is none. */
struct versions {
    struct version of[VERSIONS_SETS][VERSIONS_WAYS];
};

void versions_clear(struct versions *);
/* This page as it is in this frame; NULL: it is not here. Borrowed until the next one is put. */
const uint8_t *versions_find(const struct versions *, uint64_t page, size_t frame);
/* In place of an older one. All of them have one size. */
void versions_put(struct versions *, uint64_t page, size_t frame, const uint8_t *octets,
                  size_t size);
/* Frames behind so many are not there any more. */
void versions_cut(struct versions *, size_t frames);
