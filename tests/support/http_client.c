/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/http_client.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

enum { HEAD_MAX = 4096 };

void
http_client_close(struct http_client *c)
{
    if (c->fd >= 0) {
        (void)close(c->fd);
        c->fd = -1;
    }
}

static int
open_connection(struct http_client *c, struct err *e)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)c->port)};
    struct sockaddr_in from = {.sin_family = AF_INET};
    struct timeval limit = {c->timeout_ms / 1000, c->timeout_ms % 1000 * 1000};
    int on = 1;

    if (inet_pton(AF_INET, c->host, &to.sin_addr) != 1) {
        return err_set(e, ERR_INPUT, "%s is not a numeric IPv4 address", c->host);
    }
    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (c->fd < 0 || setsockopt(c->fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) != 0 ||
        setsockopt(c->fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)) != 0 ||
        setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) != 0 ||
        (c->source != NULL && (inet_pton(AF_INET, c->source, &from.sin_addr) != 1 ||
                               bind(c->fd, (const struct sockaddr *)&from, sizeof(from)) != 0)) ||
        connect(c->fd, (const struct sockaddr *)&to, sizeof(to)) != 0) {
        (void)err_errno(e, ERR_IO, errno, "connect to %s:%d", c->host, c->port);
        http_client_close(c);
        return -1;
    }
    return 0;
}

static int
send_all(struct http_client *c, struct span bytes, struct err *e)
{
    size_t done = 0;

    while (done < bytes.n) {
        ssize_t n = send(c->fd, bytes.p + done, bytes.n - done, MSG_NOSIGNAL);

        if (n < 0) {
            return err_errno(e, ERR_IO, errno, "send");
        }
        done += (size_t)n;
    }
    return 0;
}

/* The value of a header field in `head`, which ends with a NUL; NULL when it is not there. */
static const char *
field(const char *head, const char *name)
{
    size_t n = strlen(name);

    for (const char *line = strstr(head, "\r\n"); line != NULL; line = strstr(line + 2, "\r\n")) {
        if (strncasecmp(line + 2, name, n) == 0 && line[2 + n] == ':') {
            return line + 2 + n + 1 + strspn(line + 2 + n + 1, " ");
        }
    }
    return NULL;
}

/* Reads until the blank line; what came behind it goes into `answer`. */
static int
receive_head(struct http_client *c, char head[HEAD_MAX + 1], struct buf *answer, struct err *e)
{
    size_t have = 0;

    for (;;) {
        ssize_t n = recv(c->fd, head + have, HEAD_MAX - have, 0);
        char *end;

        if (n <= 0) {
            return err_errno(e, ERR_IO, n == 0 ? ECONNRESET : errno, "receive");
        }
        have += (size_t)n;
        head[have] = '\0';
        end = strstr(head, "\r\n\r\n");
        if (end != NULL) {
            size_t used = (size_t)(end - head) + 4;

            if (buf_append(answer, span_of(head + used, have - used), e) != 0) {
                return -1;
            }
            end[2] = '\0';
            return 0;
        }
        if (have == HEAD_MAX) {
            return err_set(e, ERR_IO, "header of more than %d octets", HEAD_MAX);
        }
    }
}

static int
receive(struct http_client *c, int *status, struct buf *answer, struct err *e)
{
    char head[HEAD_MAX + 1];
    const char *length;
    const char *connection;
    const char *again;
    size_t wanted;

    buf_truncate(answer, 0);
    if (receive_head(c, head, answer, e) != 0) {
        return -1;
    }
    length = field(head, "Content-Length");
    if (strncmp(head, "HTTP/1.", 7) != 0 || strlen(head) < 12 || length == NULL) {
        return err_set(e, ERR_IO, "not an HTTP answer with a length");
    }
    *status = (int)strtol(head + 9, NULL, 10);
    again = field(head, "Retry-After");
    c->retry_after = again == NULL ? 0 : (int)strtol(again, NULL, 10);
    wanted = strtoul(length, NULL, 10);
    while (answer->n < wanted) {
        uint8_t chunk[4096];
        ssize_t n = recv(c->fd, chunk, sizeof(chunk), 0);

        if (n <= 0) {
            return err_errno(e, ERR_IO, n == 0 ? ECONNRESET : errno, "receive");
        }
        if (buf_append(answer, span_of(chunk, (size_t)n), e) != 0) {
            return -1;
        }
    }
    connection = field(head, "Connection");
    if (connection != NULL && strncasecmp(connection, "close", 5) == 0) {
        http_client_close(c);
    }
    return 0;
}

int
http_client_post(struct http_client *c, const char *path, struct span body, int *status,
                 struct buf *answer, struct err *e)
{
    CLEANUP(mem_cleanup)
    char *head = mem_printf("POST %s HTTP/1.1\r\nHost: %s:%d\r\n"
                            "Content-Type: application/pkixcmp\r\nContent-Length: %zu\r\n\r\n",
                            path, c->host, c->port, body.n);
    CLEANUP(buf_free) struct buf request = BUF_INIT(256 * 1024);

    if (buf_append_str(&request, head, e) != 0 || buf_append(&request, body, e) != 0) {
        return -1;
    }
    if (c->fd < 0 && open_connection(c, e) != 0) {
        return -1;
    }
    if (send_all(c, buf_span(&request), e) != 0 || receive(c, status, answer, e) != 0) {
        http_client_close(c);
        return -1;
    }
    return 0;
}
