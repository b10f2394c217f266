/* SPDX-License-Identifier: Apache-2.0 */
/*
 * recorder.h - a VFS of SQLite below all others that keeps each change of its files, so that every
 * state that a kill or a power cut could leave is made again later.
 *
 * A kill leaves all that was written. A power cut leaves what was synced, and of what was written
 * to a file since its last sync any part, in sectors of 512 octets.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* From now on, as SQLite's default, until recorder_end(). Files are known by what stands behind
 * `path`: "", "-wal", "-seal", "-journal". They are there already, or not. */
void recorder_begin(const char *path);
/* Changes so far. */
size_t recorder_count(void);
/* SQLite's own again; the records stay. */
void recorder_end(void);
void recorder_free(void);

/* The states behind each of the changes, in turn. */
struct playback;
void playback_free(struct playback *);
struct playback *playback_new(void);
/* Goes on to the state behind one more change; false: there is none. */
bool playback_next(struct playback *);
/* Writes that state's files to `path`, and what a kill leaves of it, or a power cut: `chance` is
 * where its random numbers begin, 0 loses all that it may. */
void playback_kill(const struct playback *, const char *path);
void playback_cut(const struct playback *, const char *path, unsigned chance);
