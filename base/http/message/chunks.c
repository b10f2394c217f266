/* SPDX-License-Identifier: Apache-2.0 */
/*
 *   SIZE --> SPACE --> EXTENSION --> SIZE_LF --> DATA --> DATA_CR --> DATA_LF --> SIZE
 *      \---------\------------------/        \--size 0--> TRAILER --blank line--> END
 */
#include "base/http/message/chunks.h"

enum { DIGITS_MAX = 16 };

void
http_chunks_begin(struct http_chunks *c, size_t ignored)
{
    *c = (struct http_chunks){.state = HTTP_CHUNKS_SIZE, .ignored = ignored};
}

static int
hex_value(uint8_t c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* `room` octets still fit into the body. */
static enum http_fault
take_size(struct http_chunks *c, uint8_t octet, size_t room)
{
    int value = hex_value(octet);

    if (value >= 0) {
        c->rest = c->rest * 16 + (size_t)value;
        if (++c->digits > DIGITS_MAX) {
            return HTTP_FAULT_CHUNK;
        }
        return c->rest > room ? HTTP_FAULT_CONTENT_SIZE : HTTP_FAULT_NONE;
    }
    if (octet == '\n') {
        return HTTP_FAULT_BARE_LF;
    }
    if (c->digits == 0) {
        return HTTP_FAULT_CHUNK;
    }
    if (octet == '\r') {
        c->state = HTTP_CHUNKS_SIZE_LF;
        return HTTP_FAULT_NONE;
    }
    c->ignored++;
    if (octet == ';') {
        c->state = HTTP_CHUNKS_EXTENSION;
    } else if (octet == ' ' || octet == '\t') {
        c->state = HTTP_CHUNKS_SPACE; /* BWS, RFC 9110 5.6.3 */
    } else {
        return HTTP_FAULT_CHUNK;
    }
    return HTTP_FAULT_NONE;
}

static enum http_fault
take_space(struct http_chunks *c, uint8_t octet)
{
    c->ignored++;
    if (octet == ';') {
        c->state = HTTP_CHUNKS_EXTENSION;
        return HTTP_FAULT_NONE;
    }
    return octet == ' ' || octet == '\t' ? HTTP_FAULT_NONE : HTTP_FAULT_CHUNK;
}

/* What names and values are is nothing to us; a line they must stay. */
static enum http_fault
take_extension(struct http_chunks *c, uint8_t octet)
{
    if (octet == '\r') {
        c->state = HTTP_CHUNKS_SIZE_LF;
        return HTTP_FAULT_NONE;
    }
    if (octet == '\n') {
        return HTTP_FAULT_BARE_LF;
    }
    c->ignored++;
    return (octet < ' ' && octet != '\t') || octet == 0x7f ? HTTP_FAULT_CHUNK : HTTP_FAULT_NONE;
}

static enum http_fault
take_size_lf(struct http_chunks *c, uint8_t octet)
{
    if (octet != '\n') {
        return HTTP_FAULT_BARE_CR;
    }
    c->digits = 0;
    if (c->rest > 0) {
        c->state = HTTP_CHUNKS_DATA;
    } else {
        c->state = HTTP_CHUNKS_TRAILER;
        http_scanner_begin_trailer(&c->trailer, c->ignored);
    }
    return HTTP_FAULT_NONE;
}

/* CRLF behind the data of a chunk. */
static enum http_fault
take_data_end(struct http_chunks *c, uint8_t octet)
{
    if (c->state == HTTP_CHUNKS_DATA_CR) {
        c->state = HTTP_CHUNKS_DATA_LF;
        return octet == '\r'   ? HTTP_FAULT_NONE
               : octet == '\n' ? HTTP_FAULT_BARE_LF
                               : HTTP_FAULT_CHUNK;
    }
    c->state = HTTP_CHUNKS_SIZE;
    return octet == '\n' ? HTTP_FAULT_NONE : HTTP_FAULT_BARE_CR;
}

static enum http_fault
take_octet(struct http_chunks *c, uint8_t octet, size_t room)
{
    switch (c->state) {
    case HTTP_CHUNKS_SIZE:
        return take_size(c, octet, room);
    case HTTP_CHUNKS_SPACE:
        return take_space(c, octet);
    case HTTP_CHUNKS_EXTENSION:
        return take_extension(c, octet);
    case HTTP_CHUNKS_SIZE_LF:
        return take_size_lf(c, octet);
    case HTTP_CHUNKS_DATA_CR:
    case HTTP_CHUNKS_DATA_LF:
        return take_data_end(c, octet);
    case HTTP_CHUNKS_DATA:
    case HTTP_CHUNKS_TRAILER:
    case HTTP_CHUNKS_END:
        break; /* not octet by octet */
    }
    return HTTP_FAULT_CHUNK;
}

/* As much as there is in one piece. */
static size_t
take_data(struct http_chunks *c, struct span bytes, struct buf *body)
{
    size_t n = bytes.n < c->rest ? bytes.n : c->rest;
    struct err e;

    if (buf_append(body, span_of(bytes.p, n), &e) != 0) {
        c->fault = HTTP_FAULT_CONTENT_SIZE;
    }
    c->rest -= n;
    if (c->rest == 0) {
        c->state = HTTP_CHUNKS_DATA_CR;
    }
    return n;
}

static size_t
take_trailer(struct http_chunks *c, struct span bytes)
{
    size_t n = http_scanner_clear(&c->trailer, bytes);

    c->fault = c->trailer.fault;
    if (!c->trailer.in_header) {
        c->state = HTTP_CHUNKS_END;
    }
    return n;
}

static size_t
take_framing(struct http_chunks *c, struct span bytes, size_t room)
{
    c->fault = take_octet(c, bytes.p[0], room);
    if (c->fault == HTTP_FAULT_NONE && c->ignored > HTTP_IGNORED_MAX) {
        c->fault = HTTP_FAULT_IGNORED;
    }
    return 1;
}

size_t
http_chunks_take(struct http_chunks *c, struct span bytes, struct buf *body)
{
    size_t used = 0;

    while (used < bytes.n && c->state != HTTP_CHUNKS_END && c->fault == HTTP_FAULT_NONE) {
        struct span rest = span_of(bytes.p + used, bytes.n - used);
        size_t n = c->state == HTTP_CHUNKS_DATA      ? take_data(c, rest, body)
                   : c->state == HTTP_CHUNKS_TRAILER ? take_trailer(c, rest)
                                                     : take_framing(c, rest, body->max - body->n);

        used += n;
        c->octets += n;
        if (c->fault == HTTP_FAULT_NONE && c->octets > body->max + HTTP_CHUNKED_FRAMING_MAX) {
            c->fault = HTTP_FAULT_CONTENT_SIZE;
        }
    }
    return used;
}
