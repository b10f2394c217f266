/* SPDX-License-Identifier: Apache-2.0 */
/*
 * file.h - files that are there after a power cut, and frames on stream sockets.
 *
 * Every descriptor is O_CLOEXEC. Errors are ERR_IO with the path and the errno text; ERR_NOTFOUND
 * where the file does not exist; ERR_INPUT where it is larger than allowed.
 */
#pragma once

#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"

/* For CLEANUP on an int descriptor; -1 is fine. */
void fd_cleanup(int *fd);

/* Reads the whole regular file into `out` (replacing it), within out->max. */
int file_read(const char *path, struct buf *out, struct err *e);

/* Temporary file, fsync, rename, fsync of the directory: the old content or the new, never a mix.
 */
int file_write(const char *path, struct span bytes, mode_t mode, struct err *e);

/* As file_write, but ERR_CONFLICT when the path exists (link(2), never overwrites). */
int file_create(const char *path, struct span bytes, mode_t mode, struct err *e);

/* mkdir -p with `mode` for the new ones, and fsync of the folders that they are in. */
int file_mkdirs(const char *path, mode_t mode, struct err *e);

/* fsync of a directory. */
int file_sync_dir(const char *path, struct err *e);

/* Everything on the file system that `path`, a folder, is on, whoever wrote it: syncfs(2). One call
 * for many files, each of which would cost a flush of the disk. */
int file_sync_all(const char *path, struct err *e);

/* fsync of every regular file and directory below `path` and of `path` itself. */
int file_sync_tree(const char *path, struct err *e);

/*
 * Frames: a length of 4 octets (network order, 1 .. max), then that many octets.
 * timeout_ms < 0 waits for ever; a timeout is ERR_BUSY, a peer that closed is ERR_IO "peer closed".
 * frame_read appends nothing on failure; an end of file before the first octet is ERR_NOTFOUND.
 */
enum { FRAME_LENGTH = 4 };
int frame_write(int fd, struct span body, int timeout_ms, struct err *e);
/* Several at once: each behind the others, and then all of them. Nothing is appended on failure. */
int frame_append(struct buf *frames, struct span body, struct err *e);
int frames_write(int fd, struct span frames, int timeout_ms, struct err *e);
int frame_read(int fd, size_t max, struct buf *body, int timeout_ms, struct err *e);
