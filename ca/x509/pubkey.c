/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/x509/pubkey.h"

#include <openssl/core_names.h>
#include <string.h>

#include "ca/x509/der.h"

enum { EXPONENT_BITS_MAX = 64 };

/* SubjectPublicKeyInfo up to the point's first octet: the curve is named, the point uncompressed
 * (RFC 5480 2.1.1, 2.2). One encoding, so one comparison. */
static const uint8_t p256_head[] = {0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48,
                                    0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48,
                                    0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00, 0x04};
static const uint8_t p384_head[] = {0x30, 0x76, 0x30, 0x10, 0x06, 0x07, 0x2a, 0x86,
                                    0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x05, 0x2b,
                                    0x81, 0x04, 0x00, 0x22, 0x03, 0x62, 0x00, 0x04};
/* AlgorithmIdentifier rsaEncryption with parameters NULL (RFC 3279 2.3.1) */
static const uint8_t rsa_algorithm[] = {0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7,
                                        0x0d, 0x01, 0x01, 0x01, 0x05, 0x00};

/* OBJECT IDENTIFIER id-RSASSA-PSS (RFC 4055 1.2) */
static const uint8_t pss_oid[] = {0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0a};

static const uint8_t ecdsa_sha256[] = {0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86,
                                       0x48, 0xce, 0x3d, 0x04, 0x03, 0x02};
static const uint8_t ecdsa_sha384[] = {0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86,
                                       0x48, 0xce, 0x3d, 0x04, 0x03, 0x03};
static const uint8_t rsa_sha256[] = {0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86,
                                     0xf7, 0x0d, 0x01, 0x01, 0x0b, 0x05, 0x00};

/* The same with its own header. */
static const uint8_t rsa_identifier[] = {0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86,
                                         0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00};

struct span
pubkey_kind_identifier(enum pubkey_kind kind)
{
    switch (kind) {
    case PUBKEY_P256:
        return span_of(p256_head + 2, 2U + p256_head[3]); /* behind the outer SEQUENCE's header */
    case PUBKEY_P384:
        return span_of(p384_head + 2, 2U + p384_head[3]);
    case PUBKEY_RSA:
        return span_of(rsa_identifier, sizeof(rsa_identifier));
    }
    return span_of(NULL, 0);
}

static bool
is_ec(struct span spki, const uint8_t *head, size_t n, size_t coordinate)
{
    return spki.n == n + 2 * coordinate && memcmp(spki.p, head, n) == 0;
}

/* The value of a positive INTEGER without its sign octet. */
static int
unsigned_take(struct span *in, const char *what, struct span *out, struct err *e)
{
    if (der_expect(in, DER_INTEGER, what, out, e) != 0) {
        return -1;
    }
    if (out->n == 0 || out->p[0] >= 0x80 || (out->n > 1 && out->p[0] == 0 && out->p[1] < 0x80)) {
        return err_set(e, ERR_INPUT, "%s: not a positive INTEGER in DER", what);
    }
    if (out->n > 1 && out->p[0] == 0) {
        *out = span_of(out->p + 1, out->n - 1);
    }
    return 0;
}

/* rsaEncryption has one encoding; the parameters of id-RSASSA-PSS bind signatures, which are
 * verified with the key and so with them. */
static bool
is_rsa(struct span algorithm, bool pss)
{
    return pss ? algorithm.n >= sizeof(pss_oid) &&
                     memcmp(algorithm.p, pss_oid, sizeof(pss_oid)) == 0
               : span_equal(algorithm, span_of(rsa_algorithm, sizeof(rsa_algorithm)));
}

/* Modulus and exponent of an RSA key's SubjectPublicKeyInfo. */
static int
rsa_read(struct span spki, bool pss, struct span *modulus, struct span *exponent, struct err *e)
{
    struct span body;
    struct span algorithm;
    struct span bits;
    struct span key;

    if (der_expect(&spki, DER_SEQUENCE, "public key", &body, e) != 0 ||
        der_empty(spki, "public key", e) != 0 ||
        der_expect(&body, DER_SEQUENCE, "public key", &algorithm, e) != 0 ||
        der_expect(&body, DER_BIT_STRING, "public key", &bits, e) != 0 ||
        der_empty(body, "public key", e) != 0) {
        return -1;
    }
    if (!is_rsa(algorithm, pss)) {
        return err_set(e, ERR_INPUT,
                       "public key: neither P-256 nor P-384 (named, uncompressed) nor RSA");
    }
    if (bits.n < 1 || bits.p[0] != 0) {
        return err_set(e, ERR_INPUT, "public key: unused bits");
    }
    bits = span_of(bits.p + 1, bits.n - 1);
    if (der_expect(&bits, DER_SEQUENCE, "public key", &key, e) != 0 ||
        der_empty(bits, "public key", e) != 0 ||
        unsigned_take(&key, "RSA modulus", modulus, e) != 0 ||
        unsigned_take(&key, "RSA exponent", exponent, e) != 0) {
        return -1;
    }
    return der_empty(key, "public key", e);
}

static int
rsa_check(struct span spki, bool pss, struct err *e)
{
    struct span modulus;
    struct span exponent;
    enum rsa_flaw flaw;

    if (rsa_read(spki, pss, &modulus, &exponent, e) != 0) {
        return -1;
    }
    return rsa_flaw_quick(modulus, exponent, &flaw, e);
}

static bool
ec_kind(struct span spki, enum pubkey_kind *kind)
{
    if (is_ec(spki, p256_head, sizeof(p256_head), 32)) {
        *kind = PUBKEY_P256;
        return true;
    }
    *kind = PUBKEY_P384;
    return is_ec(spki, p384_head, sizeof(p384_head), 48);
}

bool
pubkey_is_ec(struct span spki)
{
    enum pubkey_kind kind;

    return ec_kind(spki, &kind);
}

int
pubkey_check_spki(struct span spki, enum pubkey_kind *kind, struct err *e)
{
    enum pubkey_kind unwanted;

    if (kind == NULL) {
        kind = &unwanted;
    }
    if (spki.n > PUBKEY_SPKI_MAX) {
        return err_set(e, ERR_INPUT, "public key: longer than %d octets", PUBKEY_SPKI_MAX);
    }
    if (ec_kind(spki, kind)) {
        return 0;
    }
    *kind = PUBKEY_RSA;
    return rsa_check(spki, false, e);
}

int
pubkey_check_pss(struct span spki, struct err *e)
{
    return rsa_check(spki, true, e);
}

EVP_PKEY *
pubkey_parse(struct span spki, enum pubkey_kind *kind, struct err *e)
{
    enum pubkey_kind found;
    EVP_PKEY *key;

    if (pubkey_check_spki(spki, &found, e) != 0) {
        return NULL;
    }
    /* Refuses a point that is not on the curve; the cofactor of both is 1. */
    key = public_key_parse(spki, e);
    if (key == NULL) {
        (void)err_wrap(e, "public key: not a valid key");
        return NULL;
    }
    if (kind != NULL) {
        *kind = found;
    }
    return key;
}

int
pubkey_check(EVP_PKEY *key, enum pubkey_kind *kind, struct err *e)
{
    CLEANUP(buf_free) struct buf spki = BUF_INIT(PUBKEY_SPKI_MAX);

    if (OSSL_ENCODE(PUBKEY, key, &spki, e) != 0) {
        return -1;
    }
    return pubkey_check_spki(buf_span(&spki), kind, e);
}

bool
pubkey_is_bounded(EVP_PKEY *key)
{
    CLEANUP(bn_cleanup) BIGNUM *exponent = NULL;

    if (EVP_PKEY_is_a(key, "RSA") != 1 && EVP_PKEY_is_a(key, "RSA-PSS") != 1) {
        return true;
    }
    return EVP_PKEY_get_bits(key) <= PUBKEY_RSA_BITS_MAX &&
           EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_E, &exponent) == 1 &&
           BN_num_bits(exponent) <= EXPONENT_BITS_MAX;
}

int
pubkey_rsa(struct span spki, struct span *modulus, struct span *exponent, struct err *e)
{
    return rsa_read(spki, false, modulus, exponent, e);
}

int
pubkey_bits(struct span spki, enum pubkey_kind *kind, int *bits, struct err *e)
{
    struct span modulus;
    struct span exponent;

    if (ec_kind(spki, kind)) {
        *bits = *kind == PUBKEY_P256 ? 256 : 384;
        return 0;
    }
    *kind = PUBKEY_RSA;
    if (rsa_read(spki, false, &modulus, &exponent, e) != 0) {
        return -1;
    }
    *bits = (int)modulus.n * 8;
    for (unsigned top = modulus.p[0]; top > 0 && top < 0x80; top <<= 1) {
        (*bits)--;
    }
    return 0;
}

int
pubkey_ski(struct span spki, uint8_t out[SKI_SIZE], struct err *e)
{
    struct span body;
    struct span algorithm;
    struct span bits;

    if (der_expect(&spki, DER_SEQUENCE, "public key", &body, e) != 0 ||
        der_expect(&body, DER_SEQUENCE, "public key", &algorithm, e) != 0 ||
        der_expect(&body, DER_BIT_STRING, "public key", &bits, e) != 0) {
        return -1;
    }
    if (bits.n < 2) {
        return err_set(e, ERR_INPUT, "public key: empty");
    }
    if (EVP_Digest(bits.p + 1, bits.n - 1, out, NULL, EVP_sha1(), NULL) != 1) {
        return ossl_err(e, ERR_CRYPTO, "SHA-1 for a key identifier");
    }
    return 0;
}

int
pubkey_signature_algorithm(EVP_PKEY *key, struct span *identifier, const EVP_MD **md, struct err *e)
{
    char curve[32] = "";
    int bits = EVP_PKEY_get_bits(key);
    const EVP_MD *digest = EVP_sha256();

    if (EVP_PKEY_is_a(key, "EC") == 1) {
        (void)EVP_PKEY_get_group_name(key, curve, sizeof(curve), NULL);
    }
    if (strcmp(curve, "prime256v1") == 0) {
        *identifier = span_of(ecdsa_sha256, sizeof(ecdsa_sha256));
    } else if (strcmp(curve, "secp384r1") == 0) {
        *identifier = span_of(ecdsa_sha384, sizeof(ecdsa_sha384));
        digest = EVP_sha384();
    } else if (EVP_PKEY_is_a(key, "RSA") == 1 && bits == 3072) {
        *identifier = span_of(rsa_sha256, sizeof(rsa_sha256));
    } else {
        return err_set(e, ERR_INPUT, "issuer's key: must be P-256, P-384 or RSA of 3072 bits");
    }
    if (md != NULL) {
        *md = digest;
    }
    return 0;
}
