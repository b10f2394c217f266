/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pause.h - the published files are written for many checkpoints at once, and yet are within a
 * second behind what is stored, as long as it takes no more than half of one to write them: what is
 * stored while they are written waits for the next ones, which begin FILES_MS after these began.
 */
#pragma once

#include <stdint.h>

enum { FILES_MS = 500 };

/* Milliseconds until the next ones begin. `begun`: when those before did, which end now; now, when
 * there are none. */
static inline int64_t
files_pause(int64_t begun, int64_t now)
{
    const int64_t took = now - begun;

    return took < FILES_MS ? FILES_MS - took : 0;
}
