/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/disk.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/mem.h"
#include "tests/support/platter.h"

enum { PATHS_MAX = 256 };

static struct {
    bool looks;
    char dir[PATH_MAX];
    disk_see *see;
    char *paths[PATHS_MAX]; /* that are not durable */
    size_t n;
    size_t calls;
    size_t fails_at;
    bool failed;
    char early[PATH_MAX];
} disk;

static bool
is_below(const char *path)
{
    return disk.looks && strncmp(path, disk.dir, strlen(disk.dir)) == 0;
}

static void
forget(const char *path)
{
    for (size_t i = 0; i < disk.n; i++) {
        if (strcmp(disk.paths[i], path) == 0) {
            mem_free(disk.paths[i]);
            disk.paths[i] = disk.paths[--disk.n];
            return;
        }
    }
}

static void
remember(const char *path)
{
    if (disk_is_durable(path)) {
        if (disk.n == PATHS_MAX) {
            abort();
        }
        disk.paths[disk.n++] = mem_strdup(path);
    }
}

static void
remember_folder(const char *path)
{
    CLEANUP(mem_cleanup) char *folder = mem_strdup(path);
    char *slash = strrchr(folder, '/');

    if (slash != NULL) {
        *slash = '\0';
        remember(folder);
    }
}

void
disk_begin(const char *dir, disk_see *see)
{
    disk_end();
    if (realpath(dir, disk.dir) == NULL) {
        abort();
    }
    disk.see = see;
    disk.calls = 0;
    disk.fails_at = SIZE_MAX;
    disk.failed = false;
    disk.early[0] = '\0';
    disk.looks = true;
}

void
disk_end(void)
{
    disk.looks = false;
    platter_end();
    while (disk.n > 0) {
        mem_free(disk.paths[--disk.n]);
    }
}

void
disk_keep(void)
{
    platter_begin();
}

void
disk_cut(void)
{
    platter_cut();
}

void
disk_fail(size_t n)
{
    disk.fails_at = n;
}

bool
disk_has_failed(void)
{
    return disk.failed;
}

bool
disk_is_durable(const char *path)
{
    for (size_t i = 0; i < disk.n; i++) {
        if (strcmp(disk.paths[i], path) == 0) {
            return false;
        }
    }
    return true;
}

const char *
disk_named_early(void)
{
    return disk.early[0] == '\0' ? NULL : disk.early;
}

const char *
disk_not_durable(const char *except)
{
    for (size_t i = 0; i < disk.n; i++) {
        if (except == NULL || strcmp(disk.paths[i], except) != 0) {
            return disk.paths[i];
        }
    }
    return NULL;
}

/* Shows the call; -1 with errno when it is the one that fails. */
static int
begin_call(enum disk_call call, const char *path)
{
    int saved = errno;

    if (disk.see != NULL) {
        disk.see(call, path);
    }
    if (disk.calls++ == disk.fails_at) {
        disk.failed = true;
        errno = call == DISK_WRITE ? ENOSPC : EIO;
        return -1;
    }
    errno = saved;
    return 0;
}

/* The file of a descriptor, when it is looked at. */
static bool
path_of(int fd, char path[PATH_MAX])
{
    char name[64];
    int saved = errno;
    ssize_t n;

    if (!disk.looks) {
        return false;
    }
    (void)snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
    n = readlink(name, path, PATH_MAX - 1);
    errno = saved;
    if (n <= 0) {
        return false;
    }
    path[n] = '\0';
    return is_below(path);
}

/* The path with its folder's real name, as path_of() gives it. */
static bool
real_path(const char *path, char real[PATH_MAX])
{
    CLEANUP(mem_cleanup) char *folder = mem_strdup(path);
    char *slash = strrchr(folder, '/');
    char resolved[PATH_MAX];
    int saved = errno;
    bool found;

    if (!disk.looks || slash == NULL) {
        return false;
    }
    *slash = '\0';
    found = realpath(folder, resolved) != NULL;
    errno = saved;
    if (!found) {
        return false;
    }
    (void)snprintf(real, PATH_MAX, "%.*s/%s", PATH_MAX / 2, resolved, slash + 1);
    return is_below(real);
}

/* `path` is now a name of what was written as `old`. */
static void
name_given(const char *old, const char *path)
{
    if (!disk_is_durable(old)) {
        (void)snprintf(disk.early, sizeof(disk.early), "%s", path);
        remember(path);
    }
    remember_folder(path);
}

/* ---- the calls ---- */

static ssize_t
write_call(long number, int fd, const void *bytes, size_t n, off_t at)
{
    char path[PATH_MAX];
    const bool looked_at = path_of(fd, path);
    ssize_t done;

    if (looked_at) {
        if (begin_call(DISK_WRITE, path) != 0) {
            return -1;
        }
        remember(path);
        platter_look(path, fd);
    }
    done = number == SYS_write ? syscall(number, fd, bytes, n) : syscall(number, fd, bytes, n, at);
    if (looked_at && done > 0) {
        platter_write(path, bytes, (size_t)done,
                      number == SYS_write ? lseek(fd, 0, SEEK_CUR) - done : at);
    }
    return done;
}

ssize_t
write(int fd, const void *bytes, size_t n)
{
    return write_call(SYS_write, fd, bytes, n, 0);
}

ssize_t
pwrite(int fd, const void *bytes, size_t n, off_t at)
{
    return write_call(SYS_pwrite64, fd, bytes, n, at);
}

ssize_t
pwrite64(int fd, const void *bytes, size_t n, off64_t at)
{
    return write_call(SYS_pwrite64, fd, bytes, n, at);
}

/* There is no power cut: what is looked at is not really synced, and the tests are quick. */
static int
sync_call(long number, int fd)
{
    char path[PATH_MAX];

    if (!path_of(fd, path)) {
        return (int)syscall(number, fd);
    }
    if (begin_call(DISK_SYNC, path) != 0) {
        platter_fail(path);
        return -1;
    }
    forget(path);
    platter_sync(path);
    return 0;
}

int
fsync(int fd)
{
    return sync_call(SYS_fsync, fd);
}

int
fdatasync(int fd)
{
    return sync_call(SYS_fdatasync, fd);
}

/* What is above and beside the folder is not looked at. */
int
syncfs(int fd)
{
    char path[PATH_MAX];

    if (!path_of(fd, path)) {
        return (int)syscall(SYS_syncfs, fd);
    }
    if (begin_call(DISK_SYNC, path) != 0) {
        return -1;
    }
    while (disk.n > 0) {
        platter_sync(disk.paths[0]);
        forget(disk.paths[0]);
    }
    return 0;
}

static int
truncate_call(int fd, off_t size)
{
    char path[PATH_MAX];
    const bool looked_at = path_of(fd, path);
    int result;

    if (looked_at) {
        if (begin_call(DISK_WRITE, path) != 0) {
            return -1;
        }
        remember(path);
        platter_look(path, fd);
    }
    result = (int)syscall(SYS_ftruncate, fd, size);
    if (looked_at && result == 0) {
        platter_truncate(path, size);
    }
    return result;
}

int
ftruncate(int fd, off_t size)
{
    return truncate_call(fd, size);
}

int
ftruncate64(int fd, off64_t size)
{
    return truncate_call(fd, size);
}

int
rename(const char *from, const char *to)
{
    char path[PATH_MAX];
    char old[PATH_MAX];
    bool looked_at = real_path(to, path) && real_path(from, old);
    int result;

    if (looked_at && begin_call(DISK_RENAME, path) != 0) {
        return -1;
    }
    result = (int)syscall(SYS_rename, from, to);
    if (looked_at && result == 0) {
        name_given(old, path);
        forget(old);
        platter_rename(old, path);
    }
    return result;
}

int
link(const char *from, const char *to)
{
    char path[PATH_MAX];
    char old[PATH_MAX];
    bool looked_at = real_path(to, path) && real_path(from, old);
    int result;

    if (looked_at && begin_call(DISK_LINK, path) != 0) {
        return -1;
    }
    result = (int)syscall(SYS_link, from, to);
    if (looked_at && result == 0) {
        name_given(old, path);
    }
    return result;
}

int
unlink(const char *path)
{
    char real[PATH_MAX];

    if (real_path(path, real)) {
        if (begin_call(DISK_UNLINK, real) != 0) {
            return -1;
        }
        forget(real);
        platter_remove(real);
    }
    return (int)syscall(SYS_unlink, path);
}

int
unlinkat(int folder, const char *path, int flags)
{
    char real[PATH_MAX];

    if (path_of(folder, real)) {
        size_t n = strlen(real);

        (void)snprintf(real + n, sizeof(real) - n, "/%s", path);
        if (begin_call(DISK_UNLINK, real) != 0) {
            return -1;
        }
        forget(real);
        platter_remove(real);
    }
    return (int)syscall(SYS_unlinkat, folder, path, flags);
}

int
mkdir(const char *path, mode_t mode)
{
    char real[PATH_MAX];
    bool looked_at = real_path(path, real);
    int result;

    if (looked_at && begin_call(DISK_MKDIR, real) != 0) {
        return -1;
    }
    result = (int)syscall(SYS_mkdir, path, mode);
    if (looked_at && result == 0) {
        remember_folder(real);
    }
    return result;
}

int
rmdir(const char *path)
{
    char real[PATH_MAX];

    if (real_path(path, real) && begin_call(DISK_RMDIR, real) != 0) {
        return -1;
    }
    return (int)syscall(SYS_rmdir, path);
}
