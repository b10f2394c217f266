/* SPDX-License-Identifier: Apache-2.0 */
#include "ra/http_scan.h"

/* The first reason stays. */
static void
refuse(struct http_scanner *s, int status)
{
    if (s->status == 0) {
        s->status = status;
    }
}

/* One octet of the header block. True at the end of the block. */
static bool
scan_octet(struct http_scanner *s, uint8_t c)
{
    bool first_in_line = s->line_octets == 0;
    uint8_t previous = s->previous;

    s->previous = c;
    s->header_octets++;
    s->line_octets++;
    if (s->header_octets > HTTP_HEADER_MAX) {
        refuse(s, 431);
    } else if (c == '\0' || (previous == '\r') != (c == '\n') ||
               (first_in_line && (c == ' ' || c == '\t'))) {
        /* NUL, bare CR, bare LF: RFC 9112 2.2, RFC 9110 5.5; obs-fold: RFC 9112 5.2 */
        refuse(s, 400);
    } else if (c == '\n') {
        /* RFC 9112 2.2 lets a server skip empty lines before a request; we need not. */
        bool blank = s->line_octets == 2;

        s->line_octets = 0;
        if (blank && s->lines == 0) {
            refuse(s, 400);
        }
        if (++s->lines > HTTP_HEADER_LINES_MAX + 1 && !blank) {
            refuse(s, 431);
        }
        return blank;
    }
    return false;
}

size_t
http_scanner_clear(struct http_scanner *s, struct span bytes)
{
    size_t n = 0;

    while (s->in_header && n < bytes.n && s->status == 0) {
        if (scan_octet(s, bytes.p[n++])) {
            s->in_header = false;
            return n;
        }
    }
    return s->in_header ? n : bytes.n;
}
