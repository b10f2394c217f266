/* SPDX-License-Identifier: Apache-2.0 */
/* visits.h - peers of a server of HTTP: what they say, and what they must hear. */
#pragma once

#include "tests/support/web_group.h"

/* A span for a static table. */
#define BYTES(text)                                                                                \
    {                                                                                              \
        (const uint8_t *)(text), sizeof(text) - 1                                                  \
    }

#define HEAD "POST /x HTTP/1.1\r\nHost: x\r\n"
#define ASK HEAD "Content-Length: 0\r\n\r\n"
#define LATE "POST /late HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello"

enum { HOUR_MS = 3600000 };

struct row {
    const char *name;
    struct span bytes;
    const char *expected; /* as visitor_hear() writes it */
};

/* Somebody who is connected, and over TLS has shaken hands. */
struct visitor visit(const struct web *, bool secure);
/* One who says this must hear that. */
void visit_row(const struct web *, bool secure, const struct row *);
/* One answer, and it is this. */
void visit_expect(struct visitor *, const char *expected);
/* A peer that sends an octet now and then until it is cut off; it can only be cut off by the
 * deadline, because the idle time of the server is an hour. */
void visit_trickle(struct visitor *);
/* The end of the connection; blocks until then. */
void visit_wait_for_the_end(struct visitor *);
/* What comes until the peer closes. */
void visit_read_all(struct visitor *, char *text, size_t size);
