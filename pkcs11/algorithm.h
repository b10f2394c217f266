/* SPDX-License-Identifier: Apache-2.0 */
/*
 * algorithm.h - the three kinds of key, and the one signature algorithm that each may make.
 *
 * Pure: no token, no file. Shared by the token code (key.h), nfpki-signer and its clients, so that
 * "the key's algorithm" means the same bytes everywhere.
 *   P-256     ecdsa-with-SHA256         RFC 5758 3.2 (parameters absent)
 *   P-384     ecdsa-with-SHA384         RFC 5758 3.2
 *   RSA-3072  sha256WithRSAEncryption   RFC 4055 5 (parameters NULL)
 */
#pragma once

#include <openssl/evp.h>

#include "base/buf.h"

enum key_algorithm { KEY_P256, KEY_P384, KEY_RSA3072 };

enum {
    SPKI_MAX = 1024,     /* DER SubjectPublicKeyInfo of any of them */
    SIGNATURE_MAX = 512, /* DER ECDSA-Sig-Value, or the RSA signature */
    DIGEST_MAX = 48,
};

/* "P-256", "P-384", "RSA-3072", as written in definition and policy files. */
const char *key_algorithm_name(enum key_algorithm);
/* ERR_INPUT names the three. */
int key_algorithm_parse(const char *name, enum key_algorithm *out, struct err *e);

/* Octets of the digest that is signed: 32 or 48. */
size_t key_algorithm_digest_size(enum key_algorithm);
const EVP_MD *key_algorithm_digest(enum key_algorithm);
/* DER AlgorithmIdentifier of the signature algorithm; lives for ever. */
struct span key_algorithm_identifier(enum key_algorithm);

/* The public key in `spki` (DER, canonical, nothing behind it) and which of the three it is.
 * ERR_INPUT for any other key: another curve, compressed point, other RSA size or exponent. */
EVP_PKEY *key_public_parse(struct span spki, enum key_algorithm *algorithm, struct err *e)
    __attribute__((warn_unused_result));

/* The signature over the digest of `tbs` under the key's algorithm. ERR_CRYPTO when it does not
 * verify. */
int key_public_verify(EVP_PKEY *key, enum key_algorithm algorithm, struct span tbs,
                      struct span signature, struct err *e);

/* The same over a digest of exactly key_algorithm_digest_size() octets (ERR_INPUT otherwise), in
 * two steps, of which the first is for many signatures; EVP_PKEY_CTX_free() it. */
EVP_PKEY_CTX *key_public_verifier(EVP_PKEY *key, enum key_algorithm algorithm, struct err *e)
    __attribute__((warn_unused_result));
int key_public_verify_with(EVP_PKEY_CTX *verifier, enum key_algorithm algorithm, struct span digest,
                           struct span signature, struct err *e);
