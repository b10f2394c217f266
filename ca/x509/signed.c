/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/x509/signed.h"

#include "ca/x509/der.h"
#include "ca/x509/pubkey.h"

/* The three parts of a signed object. */
struct parts {
    struct span tbs;       /* whole element */
    struct span algorithm; /* whole element */
    struct span signature; /* without the octet of unused bits */
};

static int
split(struct span der, struct parts *out, struct err *e)
{
    struct span body;
    struct span content;
    uint8_t tag;

    if (der_expect(&der, DER_SEQUENCE, "signed object", &body, e) != 0 ||
        der_empty(der, "signed object", e) != 0 ||
        der_take(&body, &tag, &content, &out->tbs, e) != 0) {
        return -1;
    }
    if (tag != DER_SEQUENCE) {
        return err_set(e, ERR_INPUT, "signed object: the signed part is not a SEQUENCE");
    }
    if (der_take(&body, &tag, &content, &out->algorithm, e) != 0) {
        return -1;
    }
    if (tag != DER_SEQUENCE) {
        return err_set(e, ERR_INPUT, "signed object: no AlgorithmIdentifier");
    }
    if (der_expect(&body, DER_BIT_STRING, "signed object", &out->signature, e) != 0 ||
        der_empty(body, "signed object", e) != 0) {
        return -1;
    }
    if (out->signature.n < 2 || out->signature.p[0] != 0) {
        return err_set(e, ERR_INPUT, "signed object: signature empty or with unused bits");
    }
    out->signature = span_of(out->signature.p + 1, out->signature.n - 1);
    return 0;
}

/* RFC 5280 4.1.1.2, 5.1.1.2: the signed part repeats the algorithm. It stands behind the version
 * and, in a certificate, the serial number. */
static int
inner_algorithm(enum signed_kind kind, struct span tbs, struct span *out, struct err *e)
{
    struct span in;
    struct span content;
    uint8_t tag;
    int before = kind == SIGNED_CERTIFICATE ? 2 : 1;

    if (der_expect(&tbs, DER_SEQUENCE, "signed part", &in, e) != 0) {
        return -1;
    }
    for (int i = 0; i < before; i++) {
        if (der_take(&in, &tag, &content, NULL, e) != 0) {
            return -1;
        }
    }
    return der_take(&in, &tag, &content, out, e);
}

int
signed_verify(enum signed_kind kind, struct span der, struct span tbs, EVP_PKEY *key, struct err *e)
{
    CLEANUP(evp_md_ctx_cleanup) EVP_MD_CTX *ctx = NULL;
    struct parts parts;
    struct span algorithm;
    struct span inner;
    const EVP_MD *md;

    if (split(der, &parts, e) != 0 || pubkey_signature_algorithm(key, &algorithm, &md, e) != 0) {
        return -1;
    }
    if (!span_equal(parts.tbs, tbs)) {
        return err_set(e, ERR_CRYPTO, "signed object: not the octets that were to be signed");
    }
    if (!span_equal(parts.algorithm, algorithm)) {
        return err_set(e, ERR_CRYPTO, "signed object: not the signature algorithm of the key");
    }
    if (kind != SIGNED_CSR && inner_algorithm(kind, tbs, &inner, e) != 0) {
        return -1;
    }
    if (kind != SIGNED_CSR && !span_equal(inner, algorithm)) {
        return err_set(e, ERR_CRYPTO, "signed object: the signed part names another algorithm");
    }
    ctx = EVP_MD_CTX_new();
    if (ctx == NULL || EVP_DigestVerifyInit(ctx, NULL, md, NULL, key) != 1) {
        return ossl_err(e, ERR_CRYPTO, "signed object: prepare to verify");
    }
    if (EVP_DigestVerify(ctx, parts.signature.p, parts.signature.n, tbs.p, tbs.n) != 1) {
        return ossl_err(e, ERR_CRYPTO, "signed object: the signature does not verify");
    }
    return 0;
}

int
signed_assemble(enum signed_kind kind, struct span tbs, struct span signature, EVP_PKEY *key,
                struct buf *out, struct err *e)
{
    CLEANUP(buf_free) struct buf bytes = BUF_INIT(tbs.n + SIGNED_OVERHEAD);
    struct der w = DER_WRITER(&bytes, e);
    struct span algorithm;

    if (pubkey_signature_algorithm(key, &algorithm, NULL, e) != 0) {
        return -1;
    }
    der_begin(&w, DER_SEQUENCE);
    der_put_raw(&w, tbs);
    der_put_raw(&w, algorithm);
    der_begin(&w, DER_BIT_STRING);
    der_put_raw(&w, SPAN_LITERAL("\0"));
    der_put_raw(&w, signature);
    der_end(&w);
    der_end(&w);
    if (der_finish(&w) != 0 || signed_verify(kind, buf_span(&bytes), tbs, key, e) != 0) {
        return -1;
    }
    return buf_append(out, buf_span(&bytes), e);
}

int
signed_tbs(struct span der, struct span *tbs, struct err *e)
{
    struct parts parts;

    if (split(der, &parts, e) != 0) {
        return -1;
    }
    *tbs = parts.tbs;
    return 0;
}
