/* SPDX-License-Identifier: Apache-2.0 */
/*
 * scan.h - the raw octets of a header block, or of a trailer section, before anything else
 * sees them.
 *
 * Finds what llhttp 8.1 lets pass (folded lines: CVE-2024-27982, a space before the colon) or might
 * let pass in another release (bare LF, NUL, bare CR), and the limits of the block. Hands octets on
 * as far as it has cleared them, so llhttp never sees what was not scanned. Trailers are seen by
 * nobody else. Between parse.c, chunks.c and scan.c.
 */
#pragma once

#include "base/http/message/parse.h"

struct http_scanner {
    bool in_header; /* true at the beginning of a request; false behind its blank line */
    bool is_trailer;
    bool named; /* in a field line: its name and colon are behind us */
    uint8_t previous;
    size_t header_octets;
    size_t line_octets;
    size_t lines;
    size_t ignored; /* octets that mean nothing to us: HTTP_IGNORED_MAX */
    enum http_fault fault;
};

/* Makes ready for a request, or for the trailers of one of which so much was ignored already. */
void http_scanner_begin(struct http_scanner *);
void http_scanner_begin_trailer(struct http_scanner *, size_t ignored);
/* How many octets may go to llhttp now: up to the end of the block, or all that follow it. */
size_t http_scanner_clear(struct http_scanner *, struct span bytes);
