/* SPDX-License-Identifier: Apache-2.0 */
#include "pkcs11/algorithm.h"

#include <assert.h>
#include <openssl/core_names.h>
#include <openssl/obj_mac.h>
#include <openssl/rsa.h>
#include <string.h>

#include "base/ossl.h"

static const struct {
    const char *name;
    const char *group; /* OpenSSL's name of the curve; NULL for RSA */
    size_t spki;       /* octets of the canonical SubjectPublicKeyInfo; 0: not checked by length */
    size_t digest;
    size_t n_identifier;
    uint8_t identifier[15];
} ALGORITHMS[] = {
    [KEY_P256] = {"P-256",
                  "prime256v1",
                  91,
                  32,
                  12,
                  {0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02}},
    [KEY_P384] = {"P-384",
                  "secp384r1",
                  120,
                  48,
                  12,
                  {0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x03}},
    [KEY_RSA3072] = {"RSA-3072",
                     NULL,
                     422,
                     32,
                     15,
                     {0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0b,
                      0x05, 0x00}},
};

const char *
key_algorithm_name(enum key_algorithm algorithm)
{
    return ALGORITHMS[algorithm].name;
}

int
key_algorithm_parse(const char *name, enum key_algorithm *out, struct err *e)
{
    for (size_t i = 0; i < ARRAY_LEN(ALGORITHMS); i++) {
        if (strcmp(name, ALGORITHMS[i].name) == 0) {
            *out = (enum key_algorithm)i;
            return 0;
        }
    }
    return err_set(e, ERR_INPUT, "key algorithm '%s': use P-256, P-384 or RSA-3072", name);
}

size_t
key_algorithm_digest_size(enum key_algorithm algorithm)
{
    return ALGORITHMS[algorithm].digest;
}

const EVP_MD *
key_algorithm_digest(enum key_algorithm algorithm)
{
    return ALGORITHMS[algorithm].digest == 48 ? EVP_sha384() : EVP_sha256();
}

struct span
key_algorithm_identifier(enum key_algorithm algorithm)
{
    return span_of(ALGORITHMS[algorithm].identifier, ALGORITHMS[algorithm].n_identifier);
}

static bool
is_rsa3072(const EVP_PKEY *key)
{
    CLEANUP(bn_cleanup) BIGNUM *exponent = NULL;

    return EVP_PKEY_is_a(key, "RSA") == 1 && EVP_PKEY_get_bits(key) == 3072 &&
           EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_E, &exponent) == 1 &&
           BN_is_word(exponent, RSA_F4) == 1;
}

/* Neither compressed nor hybrid (RFC 5480 2.2). */
static bool
is_on(const EVP_PKEY *key, const char *curve)
{
    char group[64];
    char form[64];
    size_t n;

    return EVP_PKEY_is_a(key, "EC") == 1 &&
           EVP_PKEY_get_group_name(key, group, sizeof(group), &n) == 1 &&
           strcmp(group, curve) == 0 &&
           EVP_PKEY_get_utf8_string_param(key, OSSL_PKEY_PARAM_EC_POINT_CONVERSION_FORMAT, form,
                                          sizeof(form), &n) == 1 &&
           strcmp(form, OSSL_PKEY_EC_POINT_CONVERSION_FORMAT_UNCOMPRESSED) == 0;
}

EVP_PKEY *
key_public_parse(struct span spki, enum key_algorithm *algorithm, struct err *e)
{
    const unsigned char *p = spki.p;
    CLEANUP(buf_free) struct buf again = BUF_INIT(SPKI_MAX);
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *key = NULL;

    if (spki.n == 0 || spki.n > SPKI_MAX) {
        (void)err_set(e, ERR_INPUT, "a public key of %zu octets", spki.n);
        return NULL;
    }
    key = d2i_PUBKEY(NULL, &p, (long)spki.n);
    if (key == NULL) {
        (void)ossl_err(e, ERR_INPUT, "not a DER SubjectPublicKeyInfo");
        return NULL;
    }
    if (OSSL_ENCODE(PUBKEY, key, &again, e) != 0) {
        return NULL;
    }
    if (!span_equal(buf_span(&again), spki)) {
        (void)err_set(e, ERR_INPUT, "the SubjectPublicKeyInfo is not in canonical form");
        return NULL;
    }
    for (size_t i = 0; i < ARRAY_LEN(ALGORITHMS); i++) {
        bool same = ALGORITHMS[i].group == NULL ? is_rsa3072(key) : is_on(key, ALGORITHMS[i].group);

        /* The length tells explicit parameters (RFC 5480 2.1.1). */
        if (same && spki.n == ALGORITHMS[i].spki) {
            *algorithm = (enum key_algorithm)i;
            return TAKE(key);
        }
    }
    (void)err_set(e, ERR_INPUT,
                  "the public key is none of P-256, P-384 (named curve, uncompressed point) and "
                  "RSA-3072 with exponent 65537");
    return NULL;
}

int
key_public_verify(EVP_PKEY *key, enum key_algorithm algorithm, struct span tbs,
                  struct span signature, struct err *e)
{
    CLEANUP(evp_md_ctx_cleanup) EVP_MD_CTX *ctx = EVP_MD_CTX_new();

    if (ctx == NULL ||
        EVP_DigestVerifyInit(ctx, NULL, key_algorithm_digest(algorithm), NULL, key) != 1 ||
        EVP_DigestVerify(ctx, signature.p, signature.n, tbs.p, tbs.n) != 1) {
        return ossl_err(e, ERR_CRYPTO, "the signature does not verify under the pinned public key");
    }
    return 0;
}

static int
does_not_verify(struct err *e)
{
    return ossl_err(e, ERR_CRYPTO, "the signature does not verify under the pinned public key");
}

EVP_PKEY_CTX *
key_public_verifier(EVP_PKEY *key, enum key_algorithm algorithm, struct err *e)
{
    CLEANUP(evp_pkey_ctx_cleanup) EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(key, NULL);

    if (ctx == NULL || EVP_PKEY_verify_init(ctx) != 1 ||
        (algorithm == KEY_RSA3072 && EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING) != 1) ||
        EVP_PKEY_CTX_set_signature_md(ctx, key_algorithm_digest(algorithm)) != 1) {
        (void)does_not_verify(e);
        return NULL;
    }
    return TAKE(ctx);
}

int
key_public_verify_with(EVP_PKEY_CTX *verifier, enum key_algorithm algorithm, struct span digest,
                       struct span signature, struct err *e)
{
    if (digest.n != key_algorithm_digest_size(algorithm)) {
        return err_set(e, ERR_INPUT, "a digest of %zu octets where %s wants %zu", digest.n,
                       key_algorithm_name(algorithm), key_algorithm_digest_size(algorithm));
    }
    return EVP_PKEY_verify(verifier, signature.p, signature.n, digest.p, digest.n) == 1
               ? 0
               : does_not_verify(e);
}
