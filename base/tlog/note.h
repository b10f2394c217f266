/* SPDX-License-Identifier: Apache-2.0 */
/*
 * note.h - C2SP signed-note: a text, an empty line, and a line for each signature. Pure and
 * thread-safe; whose signature is right says whoever has the key (checkpoint.h).
 *
 *   (em dash) <name> <base64 of key id and signature>
 */
#pragma once

#include "base/buf.h"

/* U+2014 and a space begin a signature line. */
#define NOTE_DASH "\xe2\x80\x94 "

enum {
    NOTE_MAX = 64 * 1024,
    NOTE_SIGNATURES_MAX = 100, /* at least 16 must be possible */
    NOTE_KEY_ID = 4,
    NOTE_NAME_MAX = 128,
    NOTE_KEY_MAX = 2048, /* of a verifier key */
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

/* May somebody who signs have this name? */
bool note_is_name(struct span name);
/* The name and, decoded into `typed`, type and key of a verifier key "name+keyid+base64(type ||
 * key)", with at most one line break behind it. Whether the name is one, and the key id of this
 * key, says who knows the type: the text must be what they would write (note_key_is()). NULL:
 * ERR_INPUT. */
char *note_key_split(struct span text, struct buf *typed, struct err *e) OWNED(mem_free);
/* "name+keyid+base64(type || key)" and a line break. */
char *note_key_format(const char *name, const uint8_t id[NOTE_KEY_ID], uint8_t type,
                      struct span key) OWNED(mem_free);
/* Is it what note_key_format() gave, with its line break or without? */
bool note_key_is(struct span text, const char *formatted);
/* A signature line of key id and signature, with its line break. */
char *note_line_format(const char *name, const uint8_t id[NOTE_KEY_ID], struct span signature)
    OWNED(mem_free);
