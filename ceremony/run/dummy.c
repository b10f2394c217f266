/* SPDX-License-Identifier: Apache-2.0 */
#include "ceremony/run/dummy.h"

#include <assert.h>
#include <openssl/rsa.h>

EVP_PKEY *
dummy_key(enum pubkey_kind kind, struct err *e)
{
    EVP_PKEY *key = NULL;

    switch (kind) {
    case PUBKEY_P256:
        key = EVP_EC_gen("P-256");
        break;
    case PUBKEY_P384:
        key = EVP_EC_gen("P-384");
        break;
    case PUBKEY_RSA:
        key = EVP_RSA_gen(3072);
        break;
    }
    if (key == NULL) {
        (void)ossl_err(e, ERR_CRYPTO, "throw-away key");
    }
    return key;
}

/* `der` gets the signed object. */
static int
dummy_sign(enum signed_kind kind, struct span tbs, EVP_PKEY *like, struct buf *der, struct err *e)
{
    enum pubkey_kind key_kind;
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *key = NULL;
    CLEANUP(evp_md_ctx_cleanup) EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    uint8_t signature[PUBKEY_SPKI_MAX];
    size_t n = sizeof(signature);
    struct span identifier;
    struct span inside;
    const EVP_MD *md;

    if (pubkey_check(like, &key_kind, e) != 0) {
        return -1;
    }
    key = dummy_key(key_kind, e);
    if (key == NULL || pubkey_signature_algorithm(key, &identifier, &md, e) != 0) {
        return -1;
    }
    if (ctx == NULL || EVP_DigestSignInit(ctx, NULL, md, NULL, key) != 1 ||
        EVP_DigestSign(ctx, signature, &n, tbs.p, tbs.n) != 1) {
        return ossl_err(e, ERR_CRYPTO, "throw-away signature");
    }
    if (signed_assemble(kind, tbs, span_of(signature, n), key, der, e) != 0 ||
        signed_tbs(buf_span(der), &inside, e) != 0) {
        return -1;
    }
    assert(span_equal(inside, tbs));
    return 0;
}

int
dummy_lint_certificate(struct span tbs, const struct tbs_request *request, EVP_PKEY *like,
                       struct err *e)
{
    CLEANUP(buf_free) struct buf der = BUF_INIT(TBS_MAX + SIGNED_OVERHEAD);
    CLEANUP(x509_cleanup) X509 *certificate = NULL;
    struct span inside;

    if (dummy_sign(SIGNED_CERTIFICATE, tbs, like, &der, e) != 0) {
        return -1;
    }
    certificate = certificate_parse(buf_span(&der), e);
    if (certificate == NULL || signed_tbs(buf_span(&der), &inside, e) != 0) {
        return -1;
    }
    return lint_tbs(inside, request, e);
}

int
dummy_lint_crl(struct span tbs, const struct crl_request *request, EVP_PKEY *like, struct err *e)
{
    CLEANUP(buf_free) struct buf der = BUF_INIT(CRL_TBS_MAX + SIGNED_OVERHEAD);
    CLEANUP(x509_crl_cleanup) X509_CRL *crl = NULL;
    const uint8_t *p;
    struct span inside;

    if (dummy_sign(SIGNED_CRL, tbs, like, &der, e) != 0) {
        return -1;
    }
    p = der.p;
    crl = d2i_X509_CRL(NULL, &p, (long)der.n);
    if (crl == NULL || p != der.p + der.n) {
        return ossl_err(e, ERR_INPUT, "CRL");
    }
    if (signed_tbs(buf_span(&der), &inside, e) != 0) {
        return -1;
    }
    return crl_lint(inside, request, e);
}
