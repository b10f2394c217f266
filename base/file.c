/* SPDX-License-Identifier: Apache-2.0 */
#include "base/file.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

void
fd_cleanup(int *fd)
{
    if (*fd >= 0) {
        (void)close(*fd);
        *fd = -1;
    }
}

static int
io_error(struct err *e, const char *what, const char *path)
{
    int errnum = errno;
    enum err_code code = errnum == ENOENT ? ERR_NOTFOUND : errnum == EEXIST ? ERR_CONFLICT : ERR_IO;

    return err_errno(e, code, errnum, "%s %s", what, path);
}

static int
read_all(int fd, const char *path, struct buf *out, struct err *e)
{
    uint8_t chunk[4096];
    int result = 0;

    while (result == 0) {
        ssize_t n = read(fd, chunk, sizeof(chunk));

        if (n == 0) {
            break;
        }
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            result = io_error(e, "read", path);
        } else if (buf_append(out, span_of(chunk, (size_t)n), e) != 0) {
            result = err_wrap(e, "%s", path);
        }
    }
    explicit_bzero(chunk, sizeof(chunk));
    return result;
}

int
file_read(const char *path, struct buf *out, struct err *e)
{
    CLEANUP(fd_cleanup) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct stat st;

    if (fd < 0 || fstat(fd, &st) != 0) {
        return io_error(e, "open", path);
    }
    if (!S_ISREG(st.st_mode)) {
        return err_set(e, ERR_IO, "%s is not a regular file", path);
    }
    buf_truncate(out, 0);
    return read_all(fd, path, out, e);
}

static int
write_all(int fd, const char *path, struct span bytes, struct err *e)
{
    size_t done = 0;

    while (done < bytes.n) {
        ssize_t n = write(fd, bytes.p + done, bytes.n - done);

        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            return io_error(e, "write", path);
        }
        done += (size_t)n;
    }
    return 0;
}

static char *
directory_of(const char *path)
{
    const char *slash = strrchr(path, '/');

    if (slash == NULL) {
        return mem_strdup(".");
    }
    if (slash == path) {
        return mem_strdup("/");
    }
    return mem_printf("%.*s", (int)(slash - path), path);
}

/* Writes and syncs PATH.tmp-PID; the name is given back. */
static char *
write_temporary(const char *path, struct span bytes, mode_t mode, struct err *e)
{
    CLEANUP(mem_cleanup) char *temporary = mem_printf("%s.tmp-%ld", path, (long)getpid());
    CLEANUP(fd_cleanup)
    int fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, mode);

    if (fd < 0) {
        (void)io_error(e, "create", temporary);
        return NULL;
    }
    if (fchmod(fd, mode) != 0 || write_all(fd, temporary, bytes, e) != 0 || fsync(fd) != 0) {
        if (e->code == ERR_NONE) {
            (void)io_error(e, "sync", temporary);
        }
        (void)unlink(temporary);
        return NULL;
    }
    return TAKE(temporary);
}

int
file_write(const char *path, struct span bytes, mode_t mode, struct err *e)
{
    CLEANUP(mem_cleanup) char *directory = directory_of(path);
    CLEANUP(mem_cleanup) char *temporary = NULL;

    e->code = ERR_NONE;
    temporary = write_temporary(path, bytes, mode, e);
    if (temporary == NULL) {
        return -1;
    }
    if (rename(temporary, path) != 0) {
        (void)io_error(e, "rename to", path);
        (void)unlink(temporary);
        return -1;
    }
    return file_sync_dir(directory, e);
}

int
file_create(const char *path, struct span bytes, mode_t mode, struct err *e)
{
    CLEANUP(mem_cleanup) char *directory = directory_of(path);
    CLEANUP(mem_cleanup) char *temporary = NULL;
    int linked;

    e->code = ERR_NONE;
    temporary = write_temporary(path, bytes, mode, e);
    if (temporary == NULL) {
        return -1;
    }
    linked = link(temporary, path);
    if (linked != 0) {
        (void)io_error(e, "create", path);
    }
    (void)unlink(temporary);
    return linked != 0 ? -1 : file_sync_dir(directory, e);
}

/* One that is there already is fine; the name of a new one is durable. */
static int
mkdir_synced(const char *path, mode_t mode, struct err *e)
{
    CLEANUP(mem_cleanup) char *directory = directory_of(path);

    if (mkdir(path, mode) != 0) {
        return errno == EEXIST ? 0 : io_error(e, "mkdir", path);
    }
    return file_sync_dir(directory, e);
}

int
file_mkdirs(const char *path, mode_t mode, struct err *e)
{
    CLEANUP(mem_cleanup) char *partial = mem_strdup(path);
    struct stat st;

    for (char *p = partial + 1; p[-1] != '\0'; p++) {
        char end = *p;

        if (end != '/' && end != '\0') {
            continue;
        }
        *p = '\0';
        if (mkdir_synced(partial, mode, e) != 0) {
            return -1;
        }
        *p = end;
    }
    if (stat(path, &st) != 0) {
        return io_error(e, "stat", path);
    }
    if (!S_ISDIR(st.st_mode)) {
        return err_set(e, ERR_IO, "%s is not a directory", path);
    }
    return 0;
}

static int
sync_path(const char *path, int flags, struct err *e)
{
    CLEANUP(fd_cleanup) int fd = open(path, O_RDONLY | O_CLOEXEC | flags);

    if (fd < 0) {
        return io_error(e, "open", path);
    }
    if (fsync(fd) != 0) {
        return io_error(e, "sync", path);
    }
    return 0;
}

int
file_sync_dir(const char *path, struct err *e)
{
    return sync_path(path, O_DIRECTORY, e);
}

int
file_sync_all(const char *path, struct err *e)
{
    CLEANUP(fd_cleanup) int fd = open(path, O_RDONLY | O_CLOEXEC | O_DIRECTORY);

    if (fd < 0) {
        return io_error(e, "open", path);
    }
    return syncfs(fd) == 0 ? 0 : io_error(e, "sync", path);
}

static void
dir_cleanup(DIR **dir)
{
    if (*dir != NULL) {
        (void)closedir(*dir);
    }
}

int
file_sync_tree(const char *path, struct err *e)
{
    CLEANUP(dir_cleanup) DIR *dir = opendir(path);
    const struct dirent *entry;

    if (dir == NULL) {
        return io_error(e, "open", path);
    }
    while ((entry = readdir(dir)) != NULL) {
        CLEANUP(mem_cleanup) char *child = NULL;
        struct stat st;
        int result = 0;

        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) {
            continue;
        }
        child = mem_printf("%s/%s", path, entry->d_name);
        if (lstat(child, &st) != 0) {
            return io_error(e, "stat", child);
        }
        if (S_ISDIR(st.st_mode)) {
            result = file_sync_tree(child, e);
        } else if (S_ISREG(st.st_mode)) {
            result = sync_path(child, O_NOFOLLOW, e);
        }
        if (result != 0) {
            return -1;
        }
    }
    return file_sync_dir(path, e);
}

static int64_t
now_ms(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Waits for `events`; the deadline is absolute, < 0 for never. */
static int
wait_for(int fd, short events, int64_t deadline, struct err *e)
{
    for (;;) {
        struct pollfd p = {.fd = fd, .events = events};
        int64_t left = deadline < 0 ? -1 : deadline - now_ms();
        int n;

        if (deadline >= 0 && left <= 0) {
            return err_set(e, ERR_BUSY, "no answer in time");
        }
        n = poll(&p, 1, (int)left);
        if (n > 0) {
            return 0;
        }
        if (n < 0 && errno != EINTR) {
            return err_errno(e, ERR_IO, errno, "poll");
        }
    }
}

static int
send_exactly(int fd, struct span bytes, int64_t deadline, struct err *e)
{
    size_t done = 0;

    while (done < bytes.n) {
        ssize_t n = send(fd, bytes.p + done, bytes.n - done, MSG_NOSIGNAL | MSG_DONTWAIT);

        if (n >= 0) {
            done += (size_t)n;
        } else if (errno == EAGAIN) {
            if (wait_for(fd, POLLOUT, deadline, e) != 0) {
                return -1;
            }
        } else if (errno != EINTR) {
            return err_errno(e, ERR_IO, errno, "peer closed");
        }
    }
    return 0;
}

/* Reads exactly n octets; *got tells how many arrived before a failure. */
static int
receive_exactly(int fd, uint8_t *out, size_t n, size_t *got, int64_t deadline, struct err *e)
{
    *got = 0;
    while (*got < n) {
        ssize_t r = recv(fd, out + *got, n - *got, MSG_DONTWAIT);

        if (r > 0) {
            *got += (size_t)r;
        } else if (r == 0) {
            return err_set(e, ERR_IO, "peer closed");
        } else if (errno == EAGAIN) {
            if (wait_for(fd, POLLIN, deadline, e) != 0) {
                return -1;
            }
        } else if (errno != EINTR) {
            return err_errno(e, ERR_IO, errno, "receive");
        }
    }
    return 0;
}

/* Head and body at once where the socket takes them: whoever reads wakes up once. */
int
frame_write(int fd, struct span body, int timeout_ms, struct err *e)
{
    const int64_t deadline = timeout_ms < 0 ? -1 : now_ms() + timeout_ms;
    uint32_t length = htonl((uint32_t)body.n);
    struct iovec parts[] = {{&length, sizeof(length)}, {NULL, body.n}};
    const struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};
    struct span head = span_of(&length, sizeof(length));
    size_t done;
    ssize_t n;

    if (body.n == 0 || body.n > UINT32_MAX) {
        return err_set(e, ERR_INPUT, "a frame of %zu octets", body.n);
    }
    memcpy(&parts[1].iov_base, &body.p, sizeof(body.p)); /* an iovec knows no const */
    n = sendmsg(fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    done = n < 0 ? 0 : (size_t)n; /* what failed fails again, and is told then */
    if (done < head.n &&
        send_exactly(fd, span_of(head.p + done, head.n - done), deadline, e) != 0) {
        return -1;
    }
    done = done < head.n ? 0 : done - head.n;
    return send_exactly(fd, span_of(body.p + done, body.n - done), deadline, e);
}

int
frame_append(struct buf *frames, struct span body, struct err *e)
{
    const uint32_t length = htonl((uint32_t)body.n);
    const size_t before = frames->n;

    if (body.n == 0 || body.n > UINT32_MAX) {
        return err_set(e, ERR_INPUT, "a frame of %zu octets", body.n);
    }
    if (buf_append(frames, span_of(&length, sizeof(length)), e) != 0 ||
        buf_append(frames, body, e) != 0) {
        buf_truncate(frames, before);
        return -1;
    }
    return 0;
}

int
frames_write(int fd, struct span frames, int timeout_ms, struct err *e)
{
    return send_exactly(fd, frames, timeout_ms < 0 ? -1 : now_ms() + timeout_ms, e);
}

int
frame_read(int fd, size_t max, struct buf *body, int timeout_ms, struct err *e)
{
    int64_t deadline = timeout_ms < 0 ? -1 : now_ms() + timeout_ms;
    uint8_t head[4];
    uint8_t *to;
    size_t got;
    size_t before = body->n;
    uint32_t length;

    if (receive_exactly(fd, head, sizeof(head), &got, deadline, e) != 0) {
        if (got == 0 && e->code == ERR_IO) {
            e->code = ERR_NOTFOUND; /* an orderly end between two frames */
        }
        return -1;
    }
    length = (uint32_t)head[0] << 24 | (uint32_t)head[1] << 16 | (uint32_t)head[2] << 8 | head[3];
    if (length == 0 || length > max) {
        return err_set(e, ERR_INPUT, "a frame of %u octets, allowed are 1 to %zu", length, max);
    }
    to = buf_extend(body, length, e);
    if (to == NULL) {
        return -1;
    }
    if (receive_exactly(fd, to, length, &got, deadline, e) != 0) {
        buf_truncate(body, before);
        return -1;
    }
    return 0;
}
