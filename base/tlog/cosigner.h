/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cosigner.h - a witness: somebody who signs checkpoints that others made. C2SP tlog-cosignature
 * with Ed25519 (signature type 0x04, with the time at which it signed), and the plain Ed25519
 * signature of C2SP signed-note (type 0x01, without one). Key id: the first four octets of SHA-256
 * over name, line break, type and key.
 *
 *   witness.example/w1+e75f6532+BAOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4
 */
#pragma once

#include <openssl/evp.h>
#include <time.h>

#include "base/tlog/note.h"

enum { COSIGNER_KEY = 32 };
enum cosigner_type { COSIGNER_PLAIN = 0x01, COSIGNER_V1 = 0x04 };

struct cosigner {
    char name[NOTE_NAME_MAX + 1]; /* UTF-8 that others chose */
    enum cosigner_type type;
    uint8_t id[NOTE_KEY_ID];
    uint8_t key[COSIGNER_KEY];
};

/* A verifier key of one of the two types; ERR_INPUT. */
int cosigner_parse(struct cosigner *, struct span text, struct err *e);
/* The text with its line break. */
char *cosigner_format(const struct cosigner *) OWNED(mem_free);
/* That of a private key, type 0x04. ERR_INPUT: the name is none, or it is no Ed25519 key. */
int cosigner_of(struct cosigner *, const char *name, const EVP_PKEY *, struct err *e);

/* What a note has of it. */
struct cosigned {
    bool found;
    uint64_t time; /* when it signed, the newest one; 0: the type has none */
    struct note_line line;
};
/* Each line of this name and key id must be right, or ERR_CRYPTO; the note is then none to be
 * believed in. Lines of others are passed over. */
int cosigner_verify(const struct cosigner *, const struct note *, struct cosigned *, struct err *e);

/* The line, with its line break, over the text of a checkpoint. The signature was verified. */
int cosigner_sign(const struct cosigner *, EVP_PKEY *key, struct span text, time_t now,
                  struct buf *line, struct err *e);
