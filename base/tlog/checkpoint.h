/* SPDX-License-Identifier: Apache-2.0 */
/*
 * checkpoint.h - the signed statement "my log has N leaves and this root": C2SP tlog-checkpoint in
 * a C2SP signed note, ECDSA P-256 with SHA-256 (signature type 0x02, key id = first four octets of
 * SHA-256 over the DER SubjectPublicKeyInfo).
 *
 *   nfpki.example.net/ca1
 *   1234
 *   uP0d...=
 *   <empty line>
 *   (em dash) nfpki.example.net/ca1 <base64 of key id and DER signature>
 *
 * Others may have signed it, too (note.h): lines of keys that are not the log's are neither
 * believed nor refused. The log's own must be there, and right.
 */
#pragma once

#include <openssl/evp.h>

#include "base/tlog/merkle.h"
#include "base/tlog/note.h"

enum {
    CHECKPOINT_MAX = 2048, /* the text, and the note of who signs it alone */
    ORIGIN_MAX = NOTE_NAME_MAX,
    LOG_KEY_ID = NOTE_KEY_ID,
    LOG_KEY_SPKI_MAX = 256,
};

struct checkpoint {
    char origin[ORIGIN_MAX + 1];
    uint64_t size;
    struct merkle_hash root;
};

/* The public key of a log. Zeroed is empty; log_key_free() for CLEANUP. The checkpoint that it
 * verified last is not verified again: who stores one reads the same octets back for all that it
 * covers. Threads may share one. */
struct log_key {
    char origin[ORIGIN_MAX + 1];
    uint8_t id[LOG_KEY_ID];
    uint8_t spki[LOG_KEY_SPKI_MAX];
    size_t spki_n;
    EVP_PKEY *key;
    struct log_key_last *last; /* private */
};

void log_key_free(struct log_key *);
/* ERR_INPUT when the origin has other than printable ASCII without space and '+', or the key is not
 * P-256. */
int log_key_set(struct log_key *, const char *origin, struct span spki, struct err *e);
/* Verifier key text "origin+hexkeyid+base64(0x02 || SPKI)", with at most one line break behind it.
 */
int log_key_parse(struct log_key *, struct span text, struct err *e);
/* The text with its line break. */
char *log_key_format(const struct log_key *) OWNED(mem_free);

/* The three lines that are signed. */
int checkpoint_text(const struct checkpoint *, struct buf *out, struct err *e);
/* Strict inverse of checkpoint_text. */
int checkpoint_parse(struct span text, struct checkpoint *, struct err *e);

/* Verifies the DER signature over `text` (ERR_CRYPTO) and makes the note. */
int checkpoint_seal(const struct log_key *, struct span text, struct span signature,
                    struct buf *note, struct err *e);
/* Parses a note of this log, NOTE_MAX at most, and verifies it. ERR_INPUT form, ERR_CRYPTO
 * signature or another log. */
int checkpoint_open(const struct log_key *, struct span octets, struct checkpoint *, struct err *e);
/* The note as the log alone signed it, verified: CHECKPOINT_MAX at most. */
int checkpoint_strip(const struct log_key *, struct span octets, struct buf *out, struct err *e);
