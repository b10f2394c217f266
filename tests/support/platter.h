/* SPDX-License-Identifier: Apache-2.0 */
/*
 * platter.h - what a disk has of files, beside what the kernel shows of them. For disk.c.
 *
 * A write makes pages dirty, a sync brings the dirty ones to the platter. After a sync that fails
 * they are clean, and not there: who reads them gets what was written, until the power is cut
 * (Rebello et al., "Can applications recover from fsync failures?", USENIX ATC 2020). Shared with
 * the processes that are forked afterwards: what one leaves behind when it ends, the next one
 * finds. A few small files, one writer at a time.
 */
#pragma once

#include <sys/types.h>

/* All files are on the platter as they are. */
void platter_begin(void);
void platter_end(void);

/* Before the first change of a file: a descriptor of it. */
void platter_look(const char *path, int fd);
void platter_write(const char *path, const void *bytes, size_t n, off_t at);
void platter_truncate(const char *path, off_t size);
void platter_sync(const char *path);
void platter_fail(const char *path);
void platter_rename(const char *from, const char *to);
void platter_remove(const char *path);

/* Each file is what the platter has of it. */
void platter_cut(void);
