/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http_client.h - POST over one kept-alive connection, blocking; for tests and the benchmark.
 */
#pragma once

#include "base/buf.h"

struct http_client {
    const char *host; /* numeric IPv4 address; borrowed */
    int port;
    int fd;             /* -1 while not connected */
    int timeout_ms;     /* for connect, send and receive each */
    const char *source; /* numeric IPv4 address to come from; NULL: any; borrowed */
    int retry_after;    /* out: the seconds of the last answer's Retry-After; 0: none */
};

void http_client_close(struct http_client *);

/* Sends one POST (application/pkixcmp) and reads one answer: *status and its body (replaced).
 * Connects when needed. ERR_IO when the connection breaks or times out; it is closed then. */
int http_client_post(struct http_client *, const char *path, struct span body, int *status,
                     struct buf *answer, struct err *e);
