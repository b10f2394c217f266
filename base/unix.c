/* SPDX-License-Identifier: Apache-2.0 */
#include "base/unix.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/file.h"

/* The descriptor, which its CLEANUP then leaves open. */
static int
take_fd(int *fd)
{
    int taken = *fd;

    *fd = -1;
    return taken;
}

static int
address_of(const char *path, struct sockaddr_un *out, struct err *e)
{
    size_t n = strlen(path);

    memset(out, 0, sizeof(*out));
    out->sun_family = AF_UNIX;
    if (n == 0 || n >= sizeof(out->sun_path)) {
        return err_set(e, ERR_INPUT, "%s: a socket's path has 1 to %zu octets", path,
                       sizeof(out->sun_path) - 1);
    }
    memcpy(out->sun_path, path, n);
    return 0;
}

int
unix_check_path(const char *path, struct err *e)
{
    struct sockaddr_un address;

    return address_of(path, &address, e);
}

int
unix_listen(const char *path, mode_t mode, struct err *e)
{
    CLEANUP(fd_cleanup) int fd = -1;
    struct sockaddr_un address;
    struct stat st;

    if (address_of(path, &address, e) != 0) {
        return -1;
    }
    /* Only a socket is removed: a mistyped path must not cost a file. */
    if (lstat(path, &st) == 0 && S_ISSOCK(st.st_mode)) {
        (void)unlink(path);
    }
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0 || bind(fd, (const struct sockaddr *)&address, sizeof(address)) != 0 ||
        chmod(path, mode) != 0 || listen(fd, 16) != 0) {
        return err_errno(e, ERR_IO, errno, "listen on %s", path);
    }
    return take_fd(&fd);
}

int
unix_connect(const char *path, bool wait, struct err *e)
{
    CLEANUP(fd_cleanup) int fd = -1;
    struct sockaddr_un address;

    if (address_of(path, &address, e) != 0) {
        return -1;
    }
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | (wait ? 0 : SOCK_NONBLOCK), 0);
    if (fd < 0 || connect(fd, (const struct sockaddr *)&address, sizeof(address)) != 0) {
        return err_errno(e, ERR_IO, errno, "connect to %s", path);
    }
    return take_fd(&fd);
}

int
unix_peer(int fd, struct unix_peer *out, struct err *e)
{
    struct ucred peer;
    socklen_t size = sizeof(peer);

    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) {
        return err_errno(e, ERR_IO, errno, "SO_PEERCRED");
    }
    *out = (struct unix_peer){.pid = peer.pid, .uid = peer.uid};
    return 0;
}
