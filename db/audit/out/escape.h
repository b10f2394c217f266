/* SPDX-License-Identifier: Apache-2.0 */
/*
 * escape.h - text from leaves and certificates, which is hostile, for what it is written to.
 *
 * It is read as UTF-8 once; then nobody gets a control character, a mark of direction, an invisible
 * or unassigned one (base/text.h) as it is, but \u{202e}, nor an octet that is no UTF-8, but
 * \x{ff}. So that these cannot be meant by the text itself, a backslash is doubled.
 */
#pragma once

#include <stdio.h>

#include "base/buf.h"

enum escape_for {
    ESCAPE_TERMINAL, /* printable ASCII as it is, all else escaped */
    ESCAPE_HTML,     /* text and quoted attributes, also of SVG: & < > " ' are entities. Around text
                      * goes <bdi>; nothing from a leaf goes into style, script, URL or id */
    ESCAPE_CSV,      /* a field, quoted (RFC 4180), that no spreadsheet takes for a formula: what
                      * begins with = + - @ or one of their full-width twins gets ' in front */
    ESCAPE_CSV_RAW,  /* the same without that ' */
    ESCAPE_JSON, /* a string, quoted, in ASCII: as JSON escapes it, U+FFFD for what is no UTF-8 */
};

void escape_write(FILE *, enum escape_for, struct span text);
void escape_write_str(FILE *, enum escape_for, const char *text);
