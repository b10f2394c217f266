/* SPDX-License-Identifier: Apache-2.0 */
#include "pkcs11/service/control.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

/* A message with room for one descriptor. */
struct parcel {
    struct msghdr message;
    struct iovec bytes;
    uint8_t octet;
    _Alignas(struct cmsghdr) uint8_t room[CMSG_SPACE(sizeof(int))];
};

static void
parcel_init(struct parcel *p)
{
    *p = (struct parcel){.octet = CONTROL_CONNECTION};
    p->bytes = (struct iovec){.iov_base = &p->octet, .iov_len = 1};
    p->message = (struct msghdr){.msg_iov = &p->bytes,
                                 .msg_iovlen = 1,
                                 .msg_control = p->room,
                                 .msg_controllen = sizeof(p->room)};
}

static void
say(int fd, const uint8_t *octets, size_t n)
{
    while (send(fd, octets, n, MSG_NOSIGNAL) < 0 && errno == EINTR) {
    }
}

void
control_say(int fd, enum control what)
{
    uint8_t octet = (uint8_t)what;

    say(fd, &octet, 1);
}

void
control_fail(int fd, const struct err *why)
{
    uint8_t octets[2 + sizeof(why->text)] = {CONTROL_FAILED, (uint8_t)why->code};
    size_t n = strlen(why->text);

    memcpy(octets + 2, why->text, n);
    say(fd, octets, 2 + n);
}

int
control_take(int fd, int *connection, struct err *e)
{
    struct parcel p;
    const struct cmsghdr *head;
    ssize_t n;

    parcel_init(&p);
    *connection = -1;
    do {
        n = recvmsg(fd, &p.message, MSG_CMSG_CLOEXEC);
    } while (n < 0 && errno == EINTR);
    if (n <= 0) {
        return n == 0 || errno == ECONNRESET
                   ? 0
                   : err_errno(e, ERR_IO, errno, "descriptor 3 is not the supervisor's");
    }
    head = CMSG_FIRSTHDR(&p.message);
    if (p.octet != CONTROL_CONNECTION || head == NULL || head->cmsg_level != SOL_SOCKET ||
        head->cmsg_type != SCM_RIGHTS || head->cmsg_len != CMSG_LEN(sizeof(int))) {
        return err_set(e, ERR_INPUT, "what came on descriptor 3 is no connection");
    }
    memcpy(connection, CMSG_DATA(head), sizeof(int));
    return 0;
}

int
control_give(int fd, int connection, struct err *e)
{
    struct parcel p;
    struct cmsghdr *head;

    parcel_init(&p);
    head = CMSG_FIRSTHDR(&p.message);
    head->cmsg_level = SOL_SOCKET;
    head->cmsg_type = SCM_RIGHTS;
    head->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(head), &connection, sizeof(int));
    return sendmsg(fd, &p.message, MSG_NOSIGNAL | MSG_DONTWAIT) == 1
               ? 0
               : err_errno(e, ERR_IO, errno, "hand a connection on");
}

void
control_reason(struct span words, struct err *out)
{
    uint8_t code = words.n == 0 ? 0 : words.p[0];
    int n = words.n < 1 ? 0 : (int)words.n - 1;

    (void)err_set(out, code > ERR_NONE && code <= ERR_STALE ? (enum err_code)code : ERR_TOKEN,
                  "%.*s", n, n == 0 ? "" : (const char *)words.p + 1);
}
