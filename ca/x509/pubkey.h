/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pubkey.h - which public keys are accepted, their identifier, and the one signature algorithm that
 * an issuing key makes. Pure and thread-safe; an EVP_PKEY belongs to whoever parsed it.
 */
#pragma once

#include "base/ossl.h"
#include "ca/x509/rsa_flaw.h"

enum pubkey_kind { PUBKEY_P256, PUBKEY_P384, PUBKEY_RSA };

enum {
    PUBKEY_SPKI_MAX = 2048, /* DER SubjectPublicKeyInfo; RSA-8192 needs 1064 */
    PUBKEY_RSA_BITS_MIN = RSA_FLAW_BITS_MIN,
    PUBKEY_RSA_BITS_MAX = RSA_FLAW_BITS_MAX,
    SKI_SIZE = 20,
};

/*
 * Parses a DER SubjectPublicKeyInfo and accepts it only when it is (TS 33.310 6.1.1, R13):
 *   id-ecPublicKey with the named curve P-256 or P-384 and an uncompressed point on it, or
 *   rsaEncryption of 2048..8192 bits with an odd exponent of 65537 or more (RFC 5280 4.1.2.7), a
 *   modulus that is odd, has no small factor and not the fingerprint of CVE-2017-15361 (ROCA):
 *   rsa_flaw_quick();
 * in canonical DER with nothing behind. ERR_INPUT says what is wrong.
 * `kind` may be NULL. The caller frees with EVP_PKEY_free().
 */
EVP_PKEY *pubkey_parse(struct span spki, enum pubkey_kind *kind, struct err *e)
    __attribute__((warn_unused_result));
/* Those of the rules that octets alone show: all but that the point is on the curve. Cheap; for a
 * key that another parser has accepted already. `kind` may be NULL. */
int pubkey_check_spki(struct span spki, enum pubkey_kind *kind, struct err *e);
/* The rules for RSA, for a key that is good for RSASSA-PSS alone (RFC 4055 1.2): no key of ours,
 * but one that others' certificates may have. */
int pubkey_check_pss(struct span spki, struct err *e);
/* The same rules on a key that is parsed already (a certificate's); `kind` may be NULL. */
int pubkey_check(EVP_PKEY *, enum pubkey_kind *kind, struct err *e);
/* The AlgorithmIdentifier (DER) of a SubjectPublicKeyInfo of this kind. */
struct span pubkey_kind_identifier(enum pubkey_kind);

/*
 * May it be worked with, before anybody vouches for it? What an RSA verification costs grows with
 * the square of the modulus and with the exponent, and a stranger chooses both: at most
 * PUBKEY_RSA_BITS_MAX, and an exponent of 64 bits. OpenSSL has that limit only above 3072 bits;
 * below, an exponent as long as the modulus costs a hundred times as much as 65537.
 */
bool pubkey_is_bounded(EVP_PKEY *);

/* Does it have the octets of a P-256 or P-384 key? */
bool pubkey_is_ec(struct span spki);
/* Modulus and exponent of an rsaEncryption key, without their sign octets. ERR_INPUT. */
int pubkey_rsa(struct span spki, struct span *modulus, struct span *exponent, struct err *e);

/* Kind and size of a key that has passed one of these: 256, 384, or the bits of the RSA modulus. */
int pubkey_bits(struct span spki, enum pubkey_kind *kind, int *bits, struct err *e);

/* RFC 5280 4.2.1.2 method (1): SHA-1 of the BIT STRING's value. */
int pubkey_ski(struct span spki, uint8_t out[SKI_SIZE], struct err *e);

/*
 * The signature algorithm of an issuer's key, as DER AlgorithmIdentifier that lives for ever:
 * P-256 ecdsa-with-SHA256, P-384 ecdsa-with-SHA384 (RFC 5758 3.2), RSA of 3072 bits
 * sha256WithRSAEncryption (RFC 4055 5). ERR_INPUT for every other key. *md may be NULL.
 */
int pubkey_signature_algorithm(EVP_PKEY *, struct span *identifier, const EVP_MD **md,
                               struct err *e);
