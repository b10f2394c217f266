/* SPDX-License-Identifier: Apache-2.0 */
/*
 * disk.h - what a power cut would take, by the system calls of this program and its libraries.
 *
 * Defines write, pwrite, ftruncate, fsync, fdatasync, syncfs, rename, link, unlink, unlinkat, mkdir
 * and rmdir for the test that links it. While it looks, it keeps the paths whose content (a file)
 * or whose names (a folder) are newer than their last fsync: POSIX promises no more than that. A
 * name that was removed may come back, which hurts nobody here. It can have one call fail, as a
 * disk does.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

enum disk_call {
    DISK_WRITE,
    DISK_SYNC,
    DISK_RENAME,
    DISK_LINK,
    DISK_UNLINK,
    DISK_MKDIR,
    DISK_RMDIR,
};

/* Looks from now on, at what is below `dir`; everything there counts as durable. Before each call
 * `see` gets it, with the path that it changes (the new name of a rename); may be NULL. */
typedef void disk_see(enum disk_call call, const char *path);
void disk_begin(const char *dir, disk_see *see);
void disk_end(void);

/* The call of number `n` (from 0) since disk_begin fails with EIO, or with ENOSPC a write. */
void disk_fail(size_t n);
/* Did it come to that? */
bool disk_has_failed(void);

/* Is this file's content, or are this folder's names, there after a power cut? */
bool disk_is_durable(const char *path);
/* A file that got a name before its content was durable, since disk_begin; NULL: none did. */
const char *disk_named_early(void);
/* A path that is not, other than `except` (NULL: none); NULL when all are. */
const char *disk_not_durable(const char *except);

/* Behind disk_begin(): from now on it is known what the disk itself has, also of what processes
 * write that are forked after this. A sync that fails brings nothing to it, and nor does the next
 * one of the same pages (platter.h). */
void disk_keep(void);
/* A power cut, when nobody writes any more: the files are what the disk has. */
void disk_cut(void);
