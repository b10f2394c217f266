/* SPDX-License-Identifier: Apache-2.0 */
/*
 * signers.h - protection certificates that were decoded lately, by the hash of their octets: a
 * network function signs each message of a transaction with the same one, and OpenSSL 3.0 searches
 * all its decoders for the key of each certificate, which costs more than a verification. Decoded
 * is all that they are: nothing of what is decided about one is remembered. Thread-safe.
 */
#pragma once

#include "base/ossl.h"

enum {
    SIGNERS_KEPT = 128,
    SIGNERS_SIZE_MAX = 4096, /* octets of one that is kept */
};

/* Nothing is kept before signers_keep(), nor after signers_forget(). */
void signers_keep(void);
void signers_forget(void);

/* The one with this hash, with a reference of its own; NULL: it is not kept. */
X509 *signers_find(const uint8_t hash[SHA256_SIZE]) __attribute__((warn_unused_result));
/* `der_n` octets with this hash are this certificate. Takes a reference of its own, when it keeps
 * it. */
void signers_add(const uint8_t hash[SHA256_SIZE], size_t der_n, X509 *);
