/* SPDX-License-Identifier: Apache-2.0 */
/*
 * note.h - C2SP signed-note: a text, an empty line, and a line for each signature. Pure and
 * thread-safe; whose signature is right says whoever has the key (checkpoint.h).
 *
 *   (em dash) <name> <base64 of key id and signature>
 */
#pragma once

#include "base/buf.h"

enum {
    NOTE_MAX = 64 * 1024,
    NOTE_SIGNATURES_MAX = 100, /* at least 16 must be possible */
    NOTE_KEY_ID = 4,
};

/* Borrowed from the note. */
struct note_line {
    struct span name;    /* UTF-8, without space and '+' */
    struct span encoded; /* base64, not yet decoded */
};

/* Borrowed, too. The text ends with its line break. */
struct note {
    struct span text;
    size_t n; /* at least 1 */
    struct note_line lines[NOTE_SIGNATURES_MAX];
};

/* What stands behind the last empty line are signatures. ERR_INPUT says what is wrong with the
 * form. */
int note_parse(struct span octets, struct note *, struct err *e);
/* Key id and signature, decoded from canonical base64. ERR_INPUT when it is none, or too short. */
int note_line_decode(const struct note_line *, struct buf *out, struct err *e);
