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
    w->fd = -1;
}

void
work_free(struct restore_work *w)
{
    fd_cleanup(&w->fd);
    mem_free(w->original);
    mem_free(w->copy);
    *w = (struct restore_work){.fd = -1};
}

static char *
wal_of(const char *path)
{
    return mem_printf("%s-wal", path);
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

    w->fd = open(w->original, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    if (w->fd < 0 && errno != ENOENT) {
        return err_errno(e, ERR_IO, errno, "open %s", w->original);
    }
    if (w->fd >= 0 && fcntl(w->fd, F_SETLK, &lock) != 0) {
        return err_set(e, ERR_BUSY, "another process has %s open: stop it first", w->original);
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

    return remove_one(w->copy, e) != 0 || remove_one(wal, e) != 0 ? -1 : 0;
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

int
work_copy(struct restore_work *w, struct err *e)
{
    CLEANUP(fd_cleanup) int to = -1;

    if (work_remove(w, e) != 0) {
        return -1;
    }
    if (w->fd < 0) {
        return 0;
    }
    to = open(w->copy, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, S_IRUSR | S_IWUSR);
    if (to < 0 || copy_octets(w->fd, to) != 0 || fsync(to) != 0) {
        return err_errno(e, ERR_IO, errno, "copy %s to %s", w->original, w->copy);
    }
    return 0;
}

int
work_sync(struct restore_work *w, struct err *e)
{
    CLEANUP(fd_cleanup) int fd = open(w->copy, O_RDWR | O_CLOEXEC | O_NOFOLLOW);

    if (check_no_wal(w->copy, e) != 0) {
        return -1;
    }
    return fd >= 0 && fsync(fd) == 0 ? 0 : err_errno(e, ERR_IO, errno, "sync %s", w->copy);
}

int
work_swap(struct restore_work *w, const char *kept, struct err *e)
{
    CLEANUP(mem_cleanup) char *folder = mem_strdup(w->original);

    *strrchr(folder, '/') = '\0';
    if (check_no_wal(w->original, e) != 0) {
        return -1;
    }
    if (w->fd < 0 && access(w->original, F_OK) == 0) {
        return err_set(e, ERR_BUSY, "%s appeared meanwhile: stop what makes it", w->original);
    }
    if (w->fd >= 0 && link(w->original, kept) != 0 && errno != EEXIST) {
        return err_errno(e, ERR_IO, errno, "keep %s as %s", w->original, kept);
    }
    if (rename(w->copy, w->original) != 0) {
        return err_errno(e, ERR_IO, errno, "rename %s to %s", w->copy, w->original);
    }
    return file_sync_dir(folder, e);
}
