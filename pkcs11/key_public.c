/* SPDX-License-Identifier: Apache-2.0 */
#include "pkcs11/key_public.h"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/param_build.h>

#include "base/ossl.h"

DEFINE_CLEANUP(param_bld_cleanup, OSSL_PARAM_BLD, OSSL_PARAM_BLD_free)
DEFINE_CLEANUP(params_cleanup, OSSL_PARAM, OSSL_PARAM_free)
DEFINE_CLEANUP(ecdsa_sig_cleanup, ECDSA_SIG, ECDSA_SIG_free)

enum { ATTRIBUTE_MAX = 512 };

static int
read_attribute(struct session *s, CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type, const char *name,
               uint8_t out[ATTRIBUTE_MAX], size_t *n, struct err *e)
{
    CK_ATTRIBUTE a = {type, out, ATTRIBUTE_MAX};
    CK_RV rv =
        module_functions(session_module(s))->C_GetAttributeValue(session_handle(s), object, &a, 1);

    if (rv != CKR_OK || a.ulValueLen > ATTRIBUTE_MAX) {
        (void)session_err(s, rv, "C_GetAttributeValue", e);
        return err_wrap(e, "%s of the public key", name);
    }
    *n = a.ulValueLen;
    return 0;
}

static int
make_spki(const char *type, OSSL_PARAM_BLD *bld, struct buf *spki, struct err *e)
{
    CLEANUP(params_cleanup) OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(bld);
    CLEANUP(evp_pkey_ctx_cleanup)
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *key = NULL;

    if (params == NULL || ctx == NULL || EVP_PKEY_fromdata_init(ctx) != 1 ||
        EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_PUBLIC_KEY, params) != 1) {
        return ossl_err(e, ERR_TOKEN, "the token's public key is not a valid %s key", type);
    }
    buf_truncate(spki, 0);
    return OSSL_ENCODE(PUBKEY, key, spki, e);
}

static int
read_ec(struct session *s, enum key_algorithm algorithm, CK_OBJECT_HANDLE object, struct buf *spki,
        struct err *e)
{
    CLEANUP(param_bld_cleanup) OSSL_PARAM_BLD *bld = OSSL_PARAM_BLD_new();
    CLEANUP(asn1_octet_string_cleanup) ASN1_OCTET_STRING *point = NULL;
    uint8_t value[ATTRIBUTE_MAX];
    const unsigned char *p = value;
    size_t n = 0;

    if (read_attribute(s, object, CKA_EC_POINT, "CKA_EC_POINT", value, &n, e) != 0) {
        return -1;
    }
    /* PKCS #11 v2.40 2.3.3: the DER OCTET STRING around the point. */
    point = d2i_ASN1_OCTET_STRING(NULL, &p, (long)n);
    if (point == NULL || p != value + n) {
        return ossl_err(e, ERR_TOKEN, "CKA_EC_POINT is not a DER OCTET STRING");
    }
    if (bld == NULL ||
        OSSL_PARAM_BLD_push_utf8_string(bld, OSSL_PKEY_PARAM_GROUP_NAME,
                                        algorithm == KEY_P256 ? "prime256v1" : "secp384r1",
                                        0) != 1 ||
        OSSL_PARAM_BLD_push_octet_string(bld, OSSL_PKEY_PARAM_PUB_KEY, ASN1_STRING_get0_data(point),
                                         (size_t)ASN1_STRING_length(point)) != 1) {
        return ossl_err(e, ERR_CRYPTO, "build the public key");
    }
    return make_spki("EC", bld, spki, e);
}

static int
read_rsa(struct session *s, CK_OBJECT_HANDLE object, struct buf *spki, struct err *e)
{
    CLEANUP(param_bld_cleanup) OSSL_PARAM_BLD *bld = OSSL_PARAM_BLD_new();
    CLEANUP(bn_cleanup) BIGNUM *modulus = NULL;
    CLEANUP(bn_cleanup) BIGNUM *exponent = NULL;
    uint8_t value[ATTRIBUTE_MAX];
    size_t n = 0;

    if (read_attribute(s, object, CKA_MODULUS, "CKA_MODULUS", value, &n, e) != 0) {
        return -1;
    }
    modulus = BN_bin2bn(value, (int)n, NULL);
    if (read_attribute(s, object, CKA_PUBLIC_EXPONENT, "CKA_PUBLIC_EXPONENT", value, &n, e) != 0) {
        return -1;
    }
    exponent = BN_bin2bn(value, (int)n, NULL);
    if (bld == NULL || modulus == NULL || exponent == NULL ||
        OSSL_PARAM_BLD_push_BN(bld, OSSL_PKEY_PARAM_RSA_N, modulus) != 1 ||
        OSSL_PARAM_BLD_push_BN(bld, OSSL_PKEY_PARAM_RSA_E, exponent) != 1) {
        return ossl_err(e, ERR_CRYPTO, "build the public key");
    }
    return make_spki("RSA", bld, spki, e);
}

int
key_public_read(struct session *s, enum key_algorithm algorithm, CK_OBJECT_HANDLE object,
                struct buf *spki, struct err *e)
{
    return algorithm == KEY_RSA3072 ? read_rsa(s, object, spki, e)
                                    : read_ec(s, algorithm, object, spki, e);
}

int
key_signature_der(enum key_algorithm algorithm, struct span raw, struct buf *der, struct err *e)
{
    CLEANUP(ecdsa_sig_cleanup) ECDSA_SIG *sig = NULL;
    BIGNUM *r;
    BIGNUM *s;
    size_t half = key_algorithm_digest_size(algorithm); /* 32 for P-256, 48 for P-384 */

    if (algorithm == KEY_RSA3072) {
        return raw.n == 384 ? buf_set(der, raw, e)
                            : err_set(e, ERR_TOKEN, "an RSA signature of %zu octets", raw.n);
    }
    if (raw.n != 2 * half) {
        return err_set(e, ERR_TOKEN, "an ECDSA signature of %zu octets", raw.n);
    }
    sig = ECDSA_SIG_new();
    r = BN_bin2bn(raw.p, (int)half, NULL);
    s = BN_bin2bn(raw.p + half, (int)half, NULL);
    if (sig == NULL || r == NULL || s == NULL || ECDSA_SIG_set0(sig, r, s) != 1) {
        BN_free(r);
        BN_free(s);
        return ossl_err(e, ERR_CRYPTO, "ECDSA signature");
    }
    buf_truncate(der, 0);
    return OSSL_ENCODE(ECDSA_SIG, sig, der, e);
}
