/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/restore/work.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"

/* The octets of a database file that SQLite locks (its unix VFS: PENDING, RESERVED, SHARED). */
enum { SQLITE_LOCK_FIRST = 0x40000000, SQLITE_LOCK_OCTETS = 512, PIECE = 1024 * 1024 };

void
work_init(struct restore_work *w, const char *original)
{
    w->original = mem_strdup(original);
    w->copy = mem_printf("%s.restore", original);
    w->next = mem_printf("%s-seal.restored", original);
    w->fd = -1;
}

void
work_free(struct restore_work *w)
{
    fd_cleanup(&w->fd);
    mem_free(w->original);
    mem_free(w->copy);
    mem_free(w->next);
    *w = (struct restore_work){.fd = -1};
}

static char *
wal_of(const char *path)
{
    return mem_printf("%s-wal", path);
}

static char *
seal_of(const char *path)
{
    return mem_printf("%s-seal", path);
}

static bool
is_there(const char *path)
{
    return access(path, F_OK) == 0;
}

static int
rename_one(const char *from, const char *to, struct err *e)
{
    return rename(from, to) == 0 ? 0 : err_errno(e, ERR_IO, errno, "rename %s to %s", from, to);
}

static int
sync_folder_of(const char *path, struct err *e)
{
    CLEANUP(mem_cleanup) char *folder = mem_strdup(path);

    *strrchr(folder, '/') = '\0';
    return file_sync_dir(folder, e);
}

static int
check_no_wal(const char *path, struct err *e)
{
    CLEANUP(mem_cleanup) char *wal = wal_of(path);

    return access(wal, F_OK) != 0 && errno == ENOENT
               ? 0
               : err_set(e, ERR_BUSY,
                         "%s is there: it is not of this database, or somebody has it open; move "
                         "it away when nobody does",
                         wal);
}

int
work_lock(struct restore_work *w, struct err *e)
{
    const struct flock lock = {.l_type = F_WRLCK,
                               .l_whence = SEEK_SET,
                               .l_start = SQLITE_LOCK_FIRST,
                               .l_len = SQLITE_LOCK_OCTETS};
    CLEANUP(mem_cleanup) char *seal = seal_of(w->original);

    w->fd = open(w->original, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    if (w->fd < 0 && errno != ENOENT) {
        return err_errno(e, ERR_IO, errno, "open %s", w->original);
    }
    if (w->fd >= 0 && fcntl(w->fd, F_SETLK, &lock) != 0) {
        return err_set(e, ERR_BUSY, "another process has %s open: stop it first", w->original);
    }
    if (w->fd < 0 && is_there(seal)) {
        return err_set(e, ERR_BUSY, "%s is there without %s: move it away, too", seal, w->original);
    }
    return check_no_wal(w->original, e);
}

static int
remove_one(const char *path, struct err *e)
{
    return unlink(path) == 0 || errno == ENOENT ? 0
                                                : err_errno(e, ERR_IO, errno, "remove %s", path);
}

int
work_remove(struct restore_work *w, struct err *e)
{
    CLEANUP(mem_cleanup) char *wal = wal_of(w->copy);
    CLEANUP(mem_cleanup) char *seal = seal_of(w->copy);

    return remove_one(w->copy, e) != 0 || remove_one(wal, e) != 0 || remove_one(seal, e) != 0 ? -1
                                                                                              : 0;
}

static int
write_all(int fd, struct span bytes)
{
    while (bytes.n > 0) {
        const ssize_t n = write(fd, bytes.p, bytes.n);

        if (n < 0 && errno != EINTR) {
            return -1;
        }
        if (n > 0) {
            bytes = span_of(bytes.p + n, bytes.n - (size_t)n);
        }
    }
    return 0;
}

/* Through the descriptor that has the lock: with the close of any other one it would be gone. */
static int
copy_octets(int from, int to)
{
    CLEANUP(mem_cleanup) uint8_t *piece = mem_zalloc(PIECE, 1);
    off_t at = 0;

    for (;;) {
        const ssize_t n = pread(from, piece, PIECE, at);

        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            return (int)n;
        }
        if (write_all(to, span_of(piece, (size_t)n)) != 0) {
            return -1;
        }
        at += n;
    }
}

static int
copy_one(int from, const char *path, struct err *e)
{
    CLEANUP(fd_cleanup)
    int to = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, S_IRUSR | S_IWUSR);

    return to >= 0 && copy_octets(from, to) == 0 && fsync(to) == 0
               ? 0
               : err_errno(e, ERR_IO, errno, "copy to %s", path);
}

static int
copy_seal(const struct restore_work *w, struct err *e)
{
    CLEANUP(mem_cleanup) char *from = seal_of(w->original);
    CLEANUP(mem_cleanup) char *to = seal_of(w->copy);
    CLEANUP(fd_cleanup) int fd = open(from, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

    if (fd < 0) {
        return errno == ENOENT ? 0 : err_errno(e, ERR_IO, errno, "open %s", from);
    }
    return copy_one(fd, to, e);
}

int
work_copy(struct restore_work *w, struct err *e)
{
    if (work_remove(w, e) != 0) {
        return -1;
    }
    return w->fd < 0 ? 0 : copy_one(w->fd, w->copy, e) != 0 ? -1 : copy_seal(w, e);
}

static int
sync_one(const char *path, struct err *e)
{
    CLEANUP(fd_cleanup) int fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);

    return fd >= 0 && fsync(fd) == 0 ? 0 : err_errno(e, ERR_IO, errno, "sync %s", path);
}

int
work_sync(struct restore_work *w, struct err *e)
{
    CLEANUP(mem_cleanup) char *seal = seal_of(w->copy);

    return check_no_wal(w->copy, e) != 0 || sync_one(w->copy, e) != 0 ? -1
           : is_there(seal)                                           ? sync_one(seal, e)
                                                                      : 0;
}

static int
keep_one(const char *path, const char *kept, struct err *e)
{
    return link(path, kept) == 0 || errno == EEXIST
               ? 0
               : err_errno(e, ERR_IO, errno, "keep %s as %s", path, kept);
}

static int
keep(const struct restore_work *w, const char *kept, struct err *e)
{
    CLEANUP(mem_cleanup) char *seal = seal_of(w->original);
    CLEANUP(mem_cleanup) char *kept_seal = seal_of(kept);

    if (w->fd < 0) {
        return 0;
    }
    return keep_one(w->original, kept, e) != 0 ? -1
           : is_there(seal)                    ? keep_one(seal, kept_seal, e)
                                               : 0;
}

int
work_swap(struct restore_work *w, const char *kept, struct err *e)
{
    CLEANUP(mem_cleanup) char *seal = seal_of(w->copy);

    if (check_no_wal(w->original, e) != 0) {
        return -1;
    }
    if (w->fd < 0 && is_there(w->original)) {
        return err_set(e, ERR_BUSY, "%s appeared meanwhile: stop what makes it", w->original);
    }
    if (keep(w, kept, e) != 0 || (is_there(seal) && rename_one(seal, w->next, e) != 0) ||
        sync_folder_of(w->original, e) != 0 || rename_one(w->copy, w->original, e) != 0) {
        return -1;
    }
    return sync_folder_of(w->original, e) != 0 ? -1 : work_finish(w->original, e);
}

int
work_finish(const char *original, struct err *e)
{
    CLEANUP(work_free) struct restore_work w = {0};
    CLEANUP(mem_cleanup) char *seal = seal_of(original);

    work_init(&w, original);
    if (!is_there(w.next)) {
        return 0;
    }
    if (is_there(w.copy)) {
        return remove_one(w.next, e); /* it did not take its place: all is as before */
    }
    return rename_one(w.next, seal, e) != 0 ? -1 : sync_folder_of(original, e);
}
