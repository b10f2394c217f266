/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http_scan.h - the raw octets of a header block, before the framing sees them.
 *
 * Finds what llhttp 8.1 lets pass (folded lines: CVE-2024-27982) or might let pass in another
 * release (bare LF, NUL, bare CR), and the limits of the block. Hands octets on as far as it has
 * cleared them, so llhttp never sees what was not scanned. Between http_parse.c and http_scan.c.
 */
#pragma once

#include "ra/http_parse.h"

struct http_scanner {
    bool in_header; /* true at the beginning of a request; false behind its blank line */
    uint8_t previous;
    size_t header_octets;
    size_t line_octets;
    size_t lines;
    int status; /* 400 or 431 when it is to be refused; else 0 */
};

/* How many octets may go to llhttp now: up to the end of the header block, or all of a body. */
size_t http_scanner_clear(struct http_scanner *, struct span bytes);
