/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/cmp_client_algorithm.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/rsa.h>
#include <string.h>

#include "base/ossl.h"
#include "ca/cmp/message/asn1.h"
#include "ca/cmp/message/der.h"
#include "ca/cmp/message/field.h"
#include "tests/support/cmp_client.h"

enum { SALT_SIZE = 16, SMALL = 2048, POINT_P256 = 65 };

const struct cmp_mac_limits cmp_client_any_count = {.count_max = UINT32_MAX,
                                                    .pbmac1_max = UINT32_MAX};

DEFINE_CLEANUP(pbm_cleanup, CMP_PBM, CMP_PBM_free)

static int
append_oid(int nid, bool with_null, struct buf *out, struct err *e)
{
    CLEANUP(x509_algor_cleanup) X509_ALGOR *a = X509_ALGOR_new();

    if (a == NULL ||
        X509_ALGOR_set0(a, OBJ_nid2obj(nid), with_null ? V_ASN1_NULL : V_ASN1_UNDEF, NULL) != 1) {
        return ossl_err(e, ERR_CRYPTO, "AlgorithmIdentifier");
    }
    return field_encode(ASN1_ITEM_rptr(X509_ALGOR), a, out, e);
}

/* AlgorithmIdentifier { oid, parameters }, the parameters encoded already */
static int
append_algorithm(int nid, struct span parameters, struct buf *out, struct err *e)
{
    CLEANUP(buf_free) struct buf content = BUF_INIT(SMALL);
    const ASN1_OBJECT *object = OBJ_nid2obj(nid);

    if (der_append(&content, DER_OID, span_of(OBJ_get0_data(object), OBJ_length(object)), e) != 0 ||
        (parameters.n != 0 && buf_append(&content, parameters, e) != 0)) {
        return -1;
    }
    return der_append(out, DER_SEQUENCE, buf_span(&content), e);
}

int
cmp_client_pbm(int owf, uint32_t count, int mac, struct buf *out, struct err *e)
{
    CLEANUP(buf_free) struct buf der = BUF_INIT(SMALL);
    CLEANUP(pbm_cleanup) CMP_PBM *pbm = CMP_PBM_new();
    uint8_t salt[SALT_SIZE];

    if (random_bytes(salt, sizeof(salt), e) != 0) {
        return -1;
    }
    if (pbm == NULL || ASN1_OCTET_STRING_set(pbm->salt, salt, sizeof(salt)) != 1 ||
        X509_ALGOR_set0(pbm->owf, OBJ_nid2obj(owf), V_ASN1_UNDEF, NULL) != 1 ||
        ASN1_INTEGER_set_int64(pbm->iteration_count, count) != 1 ||
        X509_ALGOR_set0(pbm->mac, OBJ_nid2obj(mac), V_ASN1_UNDEF, NULL) != 1) {
        return ossl_err(e, ERR_CRYPTO, "PBMParameter");
    }
    buf_truncate(out, 0);
    if (field_encode(ASN1_ITEM_rptr(CMP_PBM), pbm, &der, e) != 0) {
        return -1;
    }
    return append_algorithm(NID_id_PasswordBasedMAC, buf_span(&der), out, e);
}

int
cmp_client_pbmac1_key(int prf, uint32_t count, int mac, int key_size, struct buf *out,
                      struct err *e)
{
    CLEANUP(buf_free) struct buf two = BUF_INIT(SMALL);
    CLEANUP(buf_free) struct buf sequence = BUF_INIT(SMALL);
    uint8_t salt[SALT_SIZE];
    X509_ALGOR *kdf;
    int result;

    if (random_bytes(salt, sizeof(salt), e) != 0) {
        return -1;
    }
    kdf = PKCS5_pbkdf2_set((int)count, salt, sizeof(salt), prf, key_size);
    if (kdf == NULL) {
        return ossl_err(e, ERR_CRYPTO, "PBKDF2-params");
    }
    result = field_encode(ASN1_ITEM_rptr(X509_ALGOR), kdf, &two, e);
    X509_ALGOR_free(kdf);
    buf_truncate(out, 0);
    if (result != 0 || append_oid(mac, true, &two, e) != 0 ||
        der_append(&sequence, DER_SEQUENCE, buf_span(&two), e) != 0) {
        return -1;
    }
    return append_algorithm(NID_pbmac1, buf_span(&sequence), out, e);
}

int
cmp_client_pbmac1(int prf, uint32_t count, int mac, struct buf *out, struct err *e)
{
    return cmp_client_pbmac1_key(prf, count, mac, 32, out, e);
}

EVP_PKEY *
cmp_client_key(struct err *e)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");

    if (key == NULL) {
        (void)ossl_err(e, ERR_CRYPTO, "P-256 key");
    }
    return key;
}

int
cmp_client_spki(const EVP_PKEY *key, struct buf *out, struct err *e)
{
    static const uint8_t head[] = {0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48,
                                   0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48,
                                   0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00};
    uint8_t point[POINT_P256];
    char group[16] = "";
    size_t n = 0;

    *out = BUF_INIT(SMALL);
    if (EVP_PKEY_get_group_name(key, group, sizeof(group), &n) != 1 ||
        strcmp(group, "prime256v1") != 0 ||
        EVP_PKEY_get_octet_string_param(key, OSSL_PKEY_PARAM_PUB_KEY, point, sizeof(point), &n) !=
            1 ||
        n != sizeof(point)) {
        ERR_clear_error();
        return OSSL_ENCODE(PUBKEY, key, out, e);
    }
    return buf_append(out, span_of(head, sizeof(head)), e) != 0
               ? -1
               : buf_append(out, span_of(point, sizeof(point)), e);
}

/* RSASSA-PSS-params { [0] { SHA-256, NULL }, [1] { MGF1, { SHA-256, NULL } }, [2] 32 } */
static const uint8_t pss_sha256[] = {
    0x30, 0x34, 0xa0, 0x0f, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03,
    0x04, 0x02, 0x01, 0x05, 0x00, 0xa1, 0x1c, 0x30, 0x1a, 0x06, 0x09, 0x2a, 0x86, 0x48,
    0x86, 0xf7, 0x0d, 0x01, 0x01, 0x08, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01,
    0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0xa2, 0x03, 0x02, 0x01, 0x20};

int
cmp_client_signature_algorithm(const EVP_PKEY *key, const EVP_MD *md, struct buf *out,
                               struct err *e)
{
    int nid = NID_undef;
    int type = EVP_PKEY_get_base_id(key);

    if (type == EVP_PKEY_ED25519 || type == EVP_PKEY_ED448) {
        return append_oid(type, false, out, e);
    }
    if (type == EVP_PKEY_RSA_PSS) {
        return append_algorithm(NID_rsassaPss, span_of(pss_sha256, sizeof(pss_sha256)), out, e);
    }
    if (OBJ_find_sigid_by_algs(&nid, EVP_MD_get_type(md), type) != 1) {
        return err_set(e, ERR_INPUT, "no signature algorithm for this key");
    }
    return append_oid(nid, type == EVP_PKEY_RSA, out, e);
}

int
cmp_client_sign(EVP_PKEY *key, const EVP_MD *md, struct span data, struct buf *out, struct err *e)
{
    CLEANUP(evp_md_ctx_cleanup) EVP_MD_CTX *context = EVP_MD_CTX_new();
    EVP_PKEY_CTX *parameters = NULL; /* the context's */
    int type = EVP_PKEY_get_base_id(key);
    uint8_t signature[SMALL];
    size_t n = sizeof(signature);

    if (type == EVP_PKEY_ED25519 || type == EVP_PKEY_ED448) {
        md = NULL;
    }
    if (context == NULL || EVP_DigestSignInit(context, &parameters, md, NULL, key) != 1 ||
        (type == EVP_PKEY_RSA_PSS &&
         EVP_PKEY_CTX_set_rsa_pss_saltlen(parameters, RSA_PSS_SALTLEN_DIGEST) != 1) ||
        EVP_DigestSign(context, signature, &n, data.p, data.n) != 1) {
        return ossl_err(e, ERR_CRYPTO, "sign");
    }
    return buf_set(out, span_of(signature, n), e);
}
