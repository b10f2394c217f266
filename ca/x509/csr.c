/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/x509/csr.h"

#include "ca/x509/der.h"
#include "ca/x509/pem.h"
#include "ca/x509/weak_key.h"

struct csr {
    X509_REQ *req;
    struct buf der;
    struct buf spki;
    enum pubkey_kind kind;
};

static void
destroy(struct csr **p)
{
    if (*p != NULL) {
        X509_REQ_free((*p)->req);
        buf_free(&(*p)->der);
        buf_free(&(*p)->spki);
        mem_free(*p);
        *p = NULL;
    }
}

void
csr_free(struct csr *csr)
{
    destroy(&csr);
}

/* TS 33.310 6.1.1: SHA-256 or better; the digest must be part of the algorithm's name. */
static int
algorithm_check(const X509_REQ *req, struct err *e)
{
    int md = NID_undef;

    if (OBJ_find_sigid_algs(X509_REQ_get_signature_nid(req), &md, NULL) != 1 ||
        (md != NID_sha256 && md != NID_sha384 && md != NID_sha512)) {
        return err_set(e, ERR_INPUT, "CSR: signature must be ECDSA or RSA with SHA-256, 384, 512");
    }
    return 0;
}

static int
key_take(struct csr *csr, struct err *e)
{
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *key = NULL;

    if (OSSL_ENCODE(X509_PUBKEY, X509_REQ_get_X509_PUBKEY(csr->req), &csr->spki, e) != 0) {
        return -1;
    }
    key = pubkey_parse(buf_span(&csr->spki), &csr->kind, e);
    if (key == NULL || weak_key_check(buf_span(&csr->spki), NULL, NULL, e) != 0) {
        return -1;
    }
    /* RFC 2986 3: whoever signed this has the private key */
    if (X509_REQ_verify(csr->req, key) != 1) {
        return ossl_err(e, ERR_CRYPTO,
                        "CSR: no proof of possession, its signature does not verify");
    }
    return 0;
}

struct csr *
csr_parse(struct span bytes, struct err *e)
{
    static const char *const labels[] = {"CERTIFICATE REQUEST", "NEW CERTIFICATE REQUEST", NULL};
    CLEANUP(destroy) struct csr *csr = mem_new(sizeof(*csr));
    CLEANUP(buf_free) struct buf again = BUF_INIT(CSR_MAX);
    const unsigned char *p;

    csr->der = BUF_INIT(CSR_MAX);
    csr->spki = BUF_INIT(PUBKEY_SPKI_MAX);
    if (bytes.n > CSR_MAX) {
        (void)err_set(e, ERR_INPUT, "CSR: longer than %d octets", CSR_MAX);
        return NULL;
    }
    if (pem_unwrap(bytes, labels, "CSR", &csr->der, e) != 0) {
        return NULL;
    }
    p = csr->der.p;
    csr->req = d2i_X509_REQ(NULL, &p, (long)csr->der.n);
    if (csr->req == NULL || p != csr->der.p + csr->der.n) {
        (void)ossl_err(e, ERR_INPUT, "CSR: not exactly one PKCS #10 request");
        return NULL;
    }
    /* Drops the cached octets, so that what is compared is encoded anew. */
    if (i2d_re_X509_REQ_tbs(csr->req, NULL) <= 0 ||
        OSSL_ENCODE(X509_REQ, csr->req, &again, e) != 0) {
        return NULL;
    }
    if (!span_equal(buf_span(&again), buf_span(&csr->der))) {
        (void)err_set(e, ERR_INPUT, "CSR: not in DER");
        return NULL;
    }
    if (X509_REQ_get_version(csr->req) != X509_REQ_VERSION_1) {
        (void)err_set(e, ERR_INPUT, "CSR: not of version 1");
        return NULL;
    }
    if (algorithm_check(csr->req, e) != 0 || key_take(csr, e) != 0) {
        return NULL;
    }
    return TAKE(csr);
}

struct span
csr_der(const struct csr *csr)
{
    return buf_span(&csr->der);
}

struct span
csr_spki(const struct csr *csr)
{
    return buf_span(&csr->spki);
}

enum pubkey_kind
csr_key_kind(const struct csr *csr)
{
    return csr->kind;
}

const X509_NAME *
csr_subject(const struct csr *csr)
{
    return X509_REQ_get_subject_name(csr->req);
}

int
csr_info_build(const struct name *subject, struct span spki, struct buf *out, struct err *e)
{
    CLEANUP(buf_free) struct buf bytes = BUF_INIT(CSR_MAX);
    struct der w = DER_WRITER(&bytes, e);

    der_begin(&w, DER_SEQUENCE);
    der_put_uint(&w, 0); /* v1 */
    if (w.result == 0) {
        w.result = name_encode(subject, &bytes, e);
    }
    der_put_raw(&w, spki);
    der_put(&w, DER_CONSTRUCTED, (struct span){0}); /* attributes [0], none */
    der_end(&w);
    if (der_finish(&w) != 0) {
        return -1;
    }
    return buf_append(out, buf_span(&bytes), e);
}
