/* SPDX-License-Identifier: Apache-2.0 */
#include "base/http/message/scan.h"

#include <ctype.h>
#include <string.h>

enum { CRLF = 2 };

void
http_scanner_begin(struct http_scanner *s)
{
    *s = (struct http_scanner){.in_header = true};
}

void
http_scanner_begin_trailer(struct http_scanner *s, size_t ignored)
{
    *s = (struct http_scanner){.in_header = true, .is_trailer = true, .ignored = ignored};
}

/* The first reason stays. */
static void
refuse(struct http_scanner *s, enum http_fault fault)
{
    if (s->fault == HTTP_FAULT_NONE) {
        s->fault = fault;
    }
}

/* RFC 9110 5.6.2; not of '\0', which no header has. */
static bool
is_token(uint8_t c)
{
    return isalnum(c) != 0 || strchr("!#$%&'*+-.^_`|~", c) != NULL;
}

/* Every line but the request line. */
static bool
is_field(const struct http_scanner *s)
{
    return s->is_trailer || s->lines > 0;
}

static enum http_fault
check_size(const struct http_scanner *s)
{
    if (s->is_trailer) {
        /* The blank line that ends it belongs to the framing. */
        return s->ignored + s->header_octets > HTTP_IGNORED_MAX + CRLF ? HTTP_FAULT_IGNORED
                                                                       : HTTP_FAULT_NONE;
    }
    return s->header_octets > HTTP_HEADER_MAX ? HTTP_FAULT_HEADER_SIZE : HTTP_FAULT_NONE;
}

/* RFC 9112 2.2 (bare CR and LF), 5.2 (obs-fold), RFC 9110 5.5 (NUL). */
static enum http_fault
check_octet(struct http_scanner *s, uint8_t previous, uint8_t c)
{
    bool first = s->line_octets == 1;

    if (previous == '\r' && c != '\n') {
        return HTTP_FAULT_BARE_CR;
    }
    if (c == '\n' && previous != '\r') {
        return HTTP_FAULT_BARE_LF;
    }
    if (c == '\0') {
        return HTTP_FAULT_NUL;
    }
    if (first && (c == ' ' || c == '\t')) {
        return HTTP_FAULT_FOLD;
    }
    if (is_field(s) && !s->named && c != '\r' && c != '\n') {
        /* llhttp 8.1 takes a name with a space behind it, which RFC 9112 5.1 forbids; and a trailer
         * is parsed by nobody else. */
        s->named = c == ':' && !first;
        return s->named || is_token(c) ? HTTP_FAULT_NONE : HTTP_FAULT_FIELD;
    }
    return HTTP_FAULT_NONE;
}

/* The LF of a line. True at the end of the block. */
static bool
end_line(struct http_scanner *s)
{
    bool blank = s->line_octets == CRLF;

    if (is_field(s) && !blank && !s->named) {
        refuse(s, HTTP_FAULT_FIELD);
    }
    s->line_octets = 0;
    s->named = false;
    if (blank && s->lines == 0 && !s->is_trailer) {
        if (s->ignored > 0) {
            refuse(s, HTTP_FAULT_EMPTY_LINES);
        }
        s->ignored = CRLF; /* RFC 9112 2.2: at least one empty line is skipped */
        s->header_octets = 0;
        return false;
    }
    if (++s->lines > HTTP_HEADER_LINES_MAX + 1 && !blank) {
        refuse(s, HTTP_FAULT_HEADER_SIZE);
    }
    return blank;
}

/* One octet of the block. True at its end. */
static bool
scan_octet(struct http_scanner *s, uint8_t c)
{
    uint8_t previous = s->previous;

    s->previous = c;
    s->header_octets++;
    s->line_octets++;
    refuse(s, check_size(s));
    refuse(s, check_octet(s, previous, c));
    return s->fault == HTTP_FAULT_NONE && c == '\n' && end_line(s);
}

size_t
http_scanner_clear(struct http_scanner *s, struct span bytes)
{
    size_t n = 0;

    while (s->in_header && n < bytes.n && s->fault == HTTP_FAULT_NONE) {
        if (scan_octet(s, bytes.p[n++])) {
            s->in_header = false;
            return n;
        }
    }
    return s->in_header ? n : bytes.n;
}
