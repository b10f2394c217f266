/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/cmp/protection/signature.h"

#include <limits.h>
#include <openssl/core_names.h>
#include <openssl/rsa.h>
#include <string.h>

#include "ca/cmp/message/field.h"
#include "ca/x509/pubkey.h"

DEFINE_CLEANUP(pss_cleanup, RSA_PSS_PARAMS, RSA_PSS_PARAMS_free)

static int
nid_of(const X509_ALGOR *algorithm, int *parameter_type, const ASN1_STRING **parameter)
{
    const ASN1_OBJECT *object;
    const void *value = NULL;

    X509_ALGOR_get0(&object, parameter_type, &value, algorithm);
    /* What `value` points to depends on the type: only a SEQUENCE is of use to us. */
    *parameter = *parameter_type == V_ASN1_SEQUENCE ? value : NULL;
    return OBJ_obj2nid(object);
}

static bool
is_sha2(int nid)
{
    return nid == NID_sha224 || nid == NID_sha256 || nid == NID_sha384 || nid == NID_sha512;
}

enum family { FAMILY_NONE, FAMILY_ECDSA, FAMILY_RSA, FAMILY_PSS, FAMILY_EDDSA };

static enum family
family_of(int nid)
{
    switch (nid) {
    case NID_ecdsa_with_SHA224:
    case NID_ecdsa_with_SHA256:
    case NID_ecdsa_with_SHA384:
    case NID_ecdsa_with_SHA512:
        return FAMILY_ECDSA;
    case NID_sha224WithRSAEncryption:
    case NID_sha256WithRSAEncryption:
    case NID_sha384WithRSAEncryption:
    case NID_sha512WithRSAEncryption:
        return FAMILY_RSA;
    case NID_rsassaPss:
        return FAMILY_PSS;
    case NID_ED25519:
    case NID_ED448:
        return FAMILY_EDDSA;
    default:
        return FAMILY_NONE;
    }
}

bool
signature_is_known(const X509_ALGOR *algorithm)
{
    int type;
    const ASN1_STRING *parameter;

    return family_of(nid_of(algorithm, &type, &parameter)) != FAMILY_NONE;
}

/* RFC 4055 3.1: absent fields mean SHA-1, so both must be there. */
static int
check_pss(const ASN1_STRING *parameter, struct err *e)
{
    CLEANUP(pss_cleanup) RSA_PSS_PARAMS *pss = NULL;
    CLEANUP(x509_algor_cleanup) X509_ALGOR *mask_hash = NULL;
    const ASN1_STRING *inner = NULL;
    int type;

    if (parameter != NULL) {
        pss = field_decode(ASN1_ITEM_rptr(RSA_PSS_PARAMS), field_span(parameter),
                           "RSASSA-PSS-params", e);
    }
    if (pss == NULL || pss->hashAlgorithm == NULL || pss->maskGenAlgorithm == NULL) {
        return err_set(e, ERR_INPUT, "RSASSA-PSS without parameters, or with SHA-1");
    }
    if (!is_sha2(nid_of(pss->hashAlgorithm, &type, &inner))) {
        return err_set(e, ERR_INPUT, "RSASSA-PSS with a hash other than SHA-2");
    }
    if (nid_of(pss->maskGenAlgorithm, &type, &inner) != NID_mgf1) {
        return err_set(e, ERR_INPUT, "RSASSA-PSS with a mask generation other than MGF1");
    }
    mask_hash = field_decode(ASN1_ITEM_rptr(X509_ALGOR), field_span(inner), "hash of MGF1", e);
    if (mask_hash == NULL || !is_sha2(nid_of(mask_hash, &type, &inner))) {
        return err_set(e, ERR_INPUT, "MGF1 with a hash other than SHA-2");
    }
    return 0;
}

int
signature_check_algorithm(const X509_ALGOR *algorithm, enum cmp_failure *failure, struct err *e)
{
    int type;
    const ASN1_STRING *parameter;
    int nid = nid_of(algorithm, &type, &parameter);

    switch (family_of(nid)) {
    case FAMILY_ECDSA: /* RFC 5758 3.2, RFC 8410 3: parameters are absent */
    case FAMILY_EDDSA:
        if (type == V_ASN1_UNDEF) {
            return 0;
        }
        break;
    case FAMILY_RSA: /* RFC 4055 5: NULL; absent must be accepted too */
        if (type == V_ASN1_NULL || type == V_ASN1_UNDEF) {
            return 0;
        }
        break;
    case FAMILY_PSS:
        if (check_pss(parameter, e) == 0) {
            return 0;
        }
        *failure = CMP_BAD_ALG;
        return -1;
    case FAMILY_NONE:
        return cmp_fault(failure, CMP_BAD_ALG, e, "signature algorithm %s is not accepted",
                         nid == NID_undef ? "(unknown)" : OBJ_nid2sn(nid));
    }
    return cmp_fault(failure, CMP_BAD_ALG, e, "parameters of %s are not as its RFC says",
                     OBJ_nid2sn(nid));
}

int
signature_check_key_algorithm(const X509_ALGOR *algorithm, struct err *e)
{
    const ASN1_OBJECT *object;
    const ASN1_OBJECT *curve;
    const void *parameter = NULL;
    int type;
    int nid;

    X509_ALGOR_get0(&object, &type, &parameter, algorithm);
    nid = OBJ_obj2nid(object);
    switch (nid) {
    case NID_rsaEncryption:
    case NID_rsassaPss:
    case NID_ED25519:
    case NID_ED448:
        return 0;
    case NID_X9_62_id_ecPublicKey:
        /* RFC 5480 2.1.1: namedCurve; explicit parameters could be anything */
        curve = type == V_ASN1_OBJECT ? parameter : NULL;
        nid = curve == NULL ? NID_undef : OBJ_obj2nid(curve);
        if (nid == NID_X9_62_prime256v1 || nid == NID_secp384r1 || nid == NID_secp521r1) {
            return 0;
        }
        return err_set(e, ERR_INPUT, "key on a curve other than P-256, P-384, P-521");
    default:
        return err_set(e, ERR_INPUT, "key of kind %s is not accepted",
                       nid == NID_undef ? "(unknown)" : OBJ_nid2sn(nid));
    }
}

static int
check_ec_key(EVP_PKEY *key, struct err *e)
{
    char name[32];
    size_t n;
    int is_explicit = 1;

    if (EVP_PKEY_get_group_name(key, name, sizeof(name), &n) != 1 ||
        EVP_PKEY_get_int_param(key, OSSL_PKEY_PARAM_EC_DECODED_FROM_EXPLICIT_PARAMS,
                               &is_explicit) != 1 ||
        is_explicit != 0 ||
        (strcmp(name, SN_X9_62_prime256v1) != 0 && strcmp(name, SN_secp384r1) != 0 &&
         strcmp(name, SN_secp521r1) != 0)) {
        return err_set(e, ERR_INPUT, "key on a curve other than P-256, P-384, P-521");
    }
    return 0;
}

int
signature_check_key(EVP_PKEY *key, struct err *e)
{
    int bits = EVP_PKEY_get_bits(key);

    switch (EVP_PKEY_get_base_id(key)) {
    case EVP_PKEY_EC:
        return check_ec_key(key, e);
    case EVP_PKEY_RSA:
    case EVP_PKEY_RSA_PSS:
        if (bits < CMP_RSA_BITS_MIN || bits > CMP_RSA_BITS_MAX) {
            return err_set(e, ERR_INPUT, "RSA key of %d bits; %d to %d are accepted", bits,
                           CMP_RSA_BITS_MIN, CMP_RSA_BITS_MAX);
        }
        return pubkey_is_bounded(key)
                   ? 0
                   : err_set(e, ERR_INPUT, "RSA key with an exponent above 2^64");
    case EVP_PKEY_ED25519:
    case EVP_PKEY_ED448:
        return 0;
    default:
        return err_set(e, ERR_INPUT, "key of a kind that is not accepted");
    }
}

/* An ANY of a SEQUENCE encodes as the octets that it was given, so that OpenSSL verifies exactly
 * these, with all algorithms that it knows to set up from an AlgorithmIdentifier. */
static int
verify(const X509_ALGOR *algorithm, const ASN1_BIT_STRING *signature, struct span data,
       EVP_PKEY *key, struct err *e)
{
    CLEANUP(asn1_type_cleanup) ASN1_TYPE *any = ASN1_TYPE_new();
    ASN1_STRING *octets = ASN1_STRING_type_new(V_ASN1_SEQUENCE);

    if (any == NULL || octets == NULL || data.n > INT_MAX ||
        ASN1_STRING_set(octets, data.p, (int)data.n) != 1) {
        ASN1_STRING_free(octets);
        return ossl_err(e, ERR_CRYPTO, "octets to be verified");
    }
    ASN1_TYPE_set(any, V_ASN1_SEQUENCE, octets);
    if (ASN1_item_verify(ASN1_ITEM_rptr(ASN1_ANY), algorithm, signature, any, key) != 1) {
        return ossl_err(e, ERR_CRYPTO, "signature does not verify");
    }
    return 0;
}

int
signature_verify(const X509_ALGOR *algorithm, const ASN1_BIT_STRING *signature, struct span data,
                 EVP_PKEY *key, enum cmp_failure bad, enum cmp_failure *failure, struct err *e)
{
    if (signature_check_algorithm(algorithm, failure, e) != 0) {
        return -1;
    }
    if (signature_check_key(key, e) != 0) {
        *failure = CMP_BAD_ALG;
        return -1;
    }
    if (verify(algorithm, signature, data, key, e) != 0) {
        *failure = bad;
        return -1;
    }
    *failure = CMP_NO_FAILURE;
    return 0;
}
