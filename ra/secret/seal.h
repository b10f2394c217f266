/* SPDX-License-Identifier: Apache-2.0 */
/*
 * seal.h - one-time secrets: made, shown once, and kept in ra.db under a key that is not in there.
 *
 * AES-256-GCM with a random nonce; the registration's id is authenticated with it, so a sealed
 * secret cannot be moved to another row. Pure and thread-safe. Secrets are in BUF_SECRETs.
 */
#pragma once

#include "base/buf.h"

enum {
    SEAL_KEY_SIZE = 32,
    SEAL_SECRET_SIZE = 32, /* characters: 192 random bits in base64url */
    SEAL_REFERENCE_SIZE = 12,
    SEAL_OVERHEAD = 1 + 12 + 16, /* version, nonce, tag */
    SEAL_STAMP_SIZE = 32,
};

/* A fresh secret as text that survives copying from a terminal; replaces `out`. */
int seal_make_secret(struct buf *out, struct err *e);
/* A fresh reference: SEAL_REFERENCE_SIZE letters and digits and a NUL. */
int seal_make_reference(char out[SEAL_REFERENCE_SIZE + 1], struct err *e);
/* `key` has SEAL_KEY_SIZE octets. Replaces `out`. */
int seal_close(struct span key, const char *id, struct span secret, struct buf *out, struct err *e);
/* ERR_CRYPTO: another key, another id, or not these octets. Replaces `out`, a BUF_SECRET. */
int seal_open(struct span key, const char *id, struct span sealed, struct buf *out, struct err *e);
/* What only the holder of the key can say about these octets, which are no secret. */
int seal_stamp(struct span key, struct span octets, uint8_t out[SEAL_STAMP_SIZE], struct err *e);
