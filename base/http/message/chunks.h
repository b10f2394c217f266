/* SPDX-License-Identifier: Apache-2.0 */
/*
 * chunks.h - a chunked body becomes its octets (RFC 9112 7.1).
 *
 * Chunk extensions and trailers are passed over, within HTTP_IGNORED_MAX. Our own code, because
 * llhttp 8.1 refuses extensions that clients may send (more than one, a quoted value, whitespace),
 * and swallows the octet behind a bare CR in one. Between parse.c and chunks.c.
 */
#pragma once

#include "base/http/message/scan.h"

enum http_chunks_state {
    HTTP_CHUNKS_SIZE,
    HTTP_CHUNKS_SPACE, /* between the size and its extensions */
    HTTP_CHUNKS_EXTENSION,
    HTTP_CHUNKS_SIZE_LF,
    HTTP_CHUNKS_DATA,
    HTTP_CHUNKS_DATA_CR,
    HTTP_CHUNKS_DATA_LF,
    HTTP_CHUNKS_TRAILER,
    HTTP_CHUNKS_END,
};

struct http_chunks {
    enum http_chunks_state state;
    unsigned digits;
    size_t rest;   /* octets of the present chunk that are still to come */
    size_t octets; /* taken, with the framing */
    size_t ignored;
    struct http_scanner trailer;
    enum http_fault fault;
};

/* Of this request so much was ignored already. */
void http_chunks_begin(struct http_chunks *, size_t ignored);
/* Appends what is data to `body`, up to its maximum. How many octets were used: all, but at the END
 * and where there is a fault. */
size_t http_chunks_take(struct http_chunks *, struct span bytes, struct buf *body);
