/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/platter.h"

#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { FILES = 8, PAGE = 4096, PAGES = 256, SIZE = PAGE * PAGES };

struct file {
    char path[PATH_MAX]; /* "": free */
    uint8_t cache[SIZE]; /* zeros behind the end */
    size_t cache_size;
    uint8_t disk[SIZE];
    size_t disk_size;
    bool dirty[PAGES];
};

static struct file *files; /* NULL: nobody looks */

void
platter_end(void)
{
    if (files != NULL) {
        (void)munmap(files, FILES * sizeof(*files));
        files = NULL;
    }
}

void
platter_begin(void)
{
    platter_end();
    files = mmap(NULL, FILES * sizeof(*files), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
                 -1, 0);
    if (files == MAP_FAILED) {
        abort();
    }
}

static struct file *
find(const char *path)
{
    for (size_t i = 0; files != NULL && i < FILES; i++) {
        if (strcmp(files[i].path, path) == 0) {
            return &files[i];
        }
    }
    return NULL;
}

/* Through the caller's descriptor: another one that is closed would end SQLite's locks. */
void
platter_look(const char *path, int fd)
{
    struct file *f;
    ssize_t n;

    if (files == NULL || find(path) != NULL) {
        return;
    }
    f = find("");
    n = f == NULL ? SIZE : pread(fd, f->cache, SIZE, 0);
    if (n == SIZE) {
        abort(); /* too many, or too large */
    }
    f->cache_size = n < 0 ? 0 : (size_t)n; /* one that is only written is new */
    f->disk_size = f->cache_size;
    memcpy(f->disk, f->cache, f->cache_size);
    (void)snprintf(f->path, sizeof(f->path), "%s", path);
}

void
platter_write(const char *path, const void *bytes, size_t n, off_t at)
{
    struct file *f = find(path);
    const size_t begin = (size_t)at;

    if (f == NULL || n == 0) {
        return;
    }
    if (begin + n > SIZE) {
        abort();
    }
    memcpy(f->cache + begin, bytes, n);
    f->cache_size = begin + n > f->cache_size ? begin + n : f->cache_size;
    for (size_t page = begin / PAGE; page <= (begin + n - 1) / PAGE; page++) {
        f->dirty[page] = true;
    }
}

void
platter_truncate(const char *path, off_t size)
{
    struct file *f = find(path);

    if (f == NULL || (size_t)size >= f->cache_size) {
        return; /* nobody here makes a file longer so */
    }
    memset(f->cache + size, 0, SIZE - (size_t)size);
    f->cache_size = (size_t)size;
    for (size_t page = (size_t)size / PAGE; page < PAGES; page++) {
        f->dirty[page] = true;
    }
}

void
platter_sync(const char *path)
{
    struct file *f = find(path);

    if (f == NULL) {
        return;
    }
    for (size_t page = 0; page < PAGES; page++) {
        if (f->dirty[page]) {
            memcpy(f->disk + page * PAGE, f->cache + page * PAGE, PAGE);
        }
    }
    memset(f->dirty, 0, sizeof(f->dirty));
    f->disk_size = f->cache_size;
}

void
platter_fail(const char *path)
{
    struct file *f = find(path);

    if (f != NULL) {
        memset(f->dirty, 0, sizeof(f->dirty));
    }
}

void
platter_remove(const char *path)
{
    struct file *f = find(path);

    if (f != NULL) {
        memset(f, 0, sizeof(*f));
    }
}

void
platter_rename(const char *from, const char *to)
{
    struct file *f = find(from);

    platter_remove(to);
    if (f != NULL) {
        (void)snprintf(f->path, sizeof(f->path), "%s", to);
    }
}

void
platter_cut(void)
{
    for (size_t i = 0; i < FILES; i++) {
        struct file *f = &files[i];
        int fd = f->path[0] == '\0' ? -1 : open(f->path, O_WRONLY | O_TRUNC | O_CLOEXEC);

        if (fd < 0) {
            continue; /* it was made by a process that could not even name it */
        }
        if (syscall(SYS_write, fd, f->disk, f->disk_size) != (long)f->disk_size) {
            abort();
        }
        (void)close(fd);
        memset(f, 0, sizeof(*f));
    }
}
