/* SPDX-License-Identifier: Apache-2.0 */
/*
 * note.h - signed notes (C2SP signed-note) and checkpoints (C2SP tlog-checkpoint) of one log.
 *
 * A checkpoint is the text "origin\nsize\nbase64 root\n"; a note is that text, an empty line and
 * signature lines "- origin base64(key id, signature)" with an em dash. Our keys are P-256: type
 * 0x02, key id = the first 4 octets of SHA-256(SubjectPublicKeyInfo), an ECDSA-with-SHA256
 * signature in DER over the text. A verifier key is the text "origin+keyid+base64(0x02 || SPKI)".
 *
 * Everything is canonical: what is accepted would be written with the same octets again, so no
 * octet of it can change unnoticed. Signature lines of other keys (witnesses) are passed over when
 * they have the form of one.
 */
#pragma once

#include <stdint.h>

#include "base/buf.h"

enum {
    NOTE_MAX = 8192,       /* a note with its signatures */
    NOTE_ORIGIN_MAX = 200, /* octets of an origin */
    NOTE_KEY_MAX = 512,    /* text of a verifier key */
    NOTE_ROOT_SIZE = 32,
};

struct note_key;
void note_key_free(struct note_key *);
/* `spki` is the DER SubjectPublicKeyInfo of a P-256 key. ERR_INPUT: another key, or an origin that
 * is empty, too long or has a space, a control character, a '+' or anything but ASCII. */
struct note_key *note_key_new(const char *origin, struct span spki, struct err *e)
    OWNED(note_key_free);
/* A verifier key; one line break may follow it. */
struct note_key *note_key_parse(struct span text, struct err *e) OWNED(note_key_free);
DEFINE_CLEANUP(note_key_cleanup, struct note_key, note_key_free)

/* Appends the verifier key and a line break. */
int note_key_format(const struct note_key *, struct buf *out, struct err *e);
/* Borrowed. */
const char *note_key_origin(const struct note_key *);

struct checkpoint {
    uint64_t size;
    uint8_t root[NOTE_ROOT_SIZE];
};

/* Appends the text to sign. */
int checkpoint_format(const struct note_key *, const struct checkpoint *, struct buf *text,
                      struct err *e);
/* Exactly three lines, with the origin of the key. */
int checkpoint_parse(const struct note_key *, struct span text, struct checkpoint *out,
                     struct err *e);

/* Appends the note: `text`, an empty line and one signature line. `signature` is ECDSA in DER;
 * ERR_CRYPTO when it does not verify over `text`. */
int note_seal(const struct note_key *, struct span text, struct span signature, struct buf *note,
              struct err *e);
/* The checkpoint in a note that this key signed. ERR_INPUT: not a note or not our log's;
 * ERR_CRYPTO: no signature by this key, or one that does not verify. */
int note_open(const struct note_key *, struct span note, struct checkpoint *out, struct err *e);
