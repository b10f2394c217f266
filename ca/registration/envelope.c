/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/registration/envelope.h"

#include <openssl/cms.h>
#include <openssl/err.h>

#include "ca/x509/path/path.h"
#include "ca/x509/pem.h"

static void
destroy(struct envelope **p)
{
    if (*p != NULL) {
        buf_free(&(*p)->cms);
        buf_free(&(*p)->content);
        X509_free((*p)->signer);
        mem_free(*p);
        *p = NULL;
    }
}

void
envelope_free(struct envelope *envelope)
{
    destroy(&envelope);
}

/* It must be encoded in DER because its hash names it. */
static CMS_ContentInfo *
cms_read(const struct buf *der, struct err *e)
{
    CLEANUP(cms_cleanup) CMS_ContentInfo *cms = NULL;
    CLEANUP(buf_free) struct buf again = BUF_INIT(ENVELOPE_MAX);
    const unsigned char *p = der->p;

    cms = d2i_CMS_ContentInfo(NULL, &p, (long)der->n);
    if (cms == NULL || p != der->p + der->n) {
        (void)ossl_err(e, ERR_INPUT, "not exactly one CMS object");
        return NULL;
    }
    if (OSSL_ENCODE(CMS_ContentInfo, cms, &again, e) != 0) {
        return NULL;
    }
    if (!span_equal(buf_span(der), buf_span(&again))) {
        (void)err_set(e, ERR_INPUT, "CMS is not in DER; sign it without streaming");
        return NULL;
    }
    return TAKE(cms);
}

static bool
is_sha2(int nid)
{
    return nid == NID_sha256 || nid == NID_sha384 || nid == NID_sha512;
}

/* TS 33.310 6.1.1: SHA-256 at least, in the digest and in the signature algorithm. */
static int
algorithms_check(CMS_SignerInfo *signer, struct err *e)
{
    X509_ALGOR *digest = NULL;
    X509_ALGOR *signature = NULL;
    const ASN1_OBJECT *oid;
    int md = NID_undef;
    int nid;

    CMS_SignerInfo_get0_algs(signer, NULL, NULL, &digest, &signature);
    X509_ALGOR_get0(&oid, NULL, NULL, digest);
    if (!is_sha2(OBJ_obj2nid(oid))) {
        return err_set(e, ERR_INPUT, "digest must be SHA-256, 384 or 512");
    }
    X509_ALGOR_get0(&oid, NULL, NULL, signature);
    nid = OBJ_obj2nid(oid);
    if (nid == NID_rsaEncryption) {
        return 0; /* PKCS #1 v1.5 with the digest above (RFC 3370 3.2) */
    }
    if (OBJ_find_sigid_algs(nid, &md, NULL) != 1 || !is_sha2(md)) {
        return err_set(e, ERR_INPUT, "signature must be ECDSA or RSA with SHA-2");
    }
    return 0;
}

/* SignedData over attached data by one signer. */
static int
form_check(CMS_ContentInfo *cms, struct err *e)
{
    ASN1_OCTET_STRING **content;
    STACK_OF(CMS_SignerInfo) * signers;

    if (OBJ_obj2nid(CMS_get0_type(cms)) != NID_pkcs7_signed) {
        return err_set(e, ERR_INPUT, "CMS is not SignedData");
    }
    if (OBJ_obj2nid(CMS_get0_eContentType(cms)) != NID_pkcs7_data) {
        return err_set(e, ERR_INPUT, "the content type is not data");
    }
    content = CMS_get0_content(cms);
    if (content == NULL || *content == NULL) {
        return err_set(e, ERR_INPUT, "no attached content; sign with -nodetach");
    }
    signers = CMS_get0_SignerInfos(cms);
    if (sk_CMS_SignerInfo_num(signers) != 1) {
        return err_set(e, ERR_INPUT, "must have exactly one signer");
    }
    if (CMS_unsigned_get_attr_count(sk_CMS_SignerInfo_value(signers, 0)) > 0) {
        return err_set(e, ERR_INPUT, "has unsigned attributes");
    }
    return algorithms_check(sk_CMS_SignerInfo_value(signers, 0), e);
}

/* Verifies the signature under the certificate that the CMS carries; who that is comes after. */
static int
signature_check(CMS_ContentInfo *cms, struct envelope *out, struct err *e)
{
    CLEANUP(bio_cleanup) BIO *content = BIO_new(BIO_s_mem());
    STACK_OF(X509) *signers = NULL;
    char *text;
    long n;

    if (content == NULL ||
        CMS_verify(cms, NULL, NULL, NULL, content, CMS_BINARY | CMS_NO_SIGNER_CERT_VERIFY) != 1) {
        return ossl_err(e, ERR_CRYPTO, "the signature does not verify");
    }
    /* form_check() saw one signer, and without its certificate nothing would have verified: there
     * is another number of them when memory is short. */
    signers = CMS_get0_signers(cms);
    if (sk_X509_num(signers) != 1) {
        sk_X509_free(signers);
        return ossl_err(e, ERR_CRYPTO, "the signer");
    }
    out->signer = sk_X509_value(signers, 0);
    (void)X509_up_ref(out->signer);
    sk_X509_free(signers);
    n = BIO_get_mem_data(content, &text);
    if (n < 0 || n > ENVELOPE_CONTENT_MAX) {
        return err_set(e, ERR_INPUT, "content longer than %d octets", ENVELOPE_CONTENT_MAX);
    }
    return buf_append(&out->content, span_of(text, (size_t)n), e);
}

/* Issued by our issuing CA itself to one of our people, and valid under the root. */
static int
signer_check(X509 *signer, const struct envelope_rules *rules, struct err *e)
{
    X509 *root = rules->root;
    X509 *issuing = rules->issuing;
    struct path_request path = {.purpose = PATH_PERSON,
                                .at = rules->at,
                                .anchors = &root,
                                .n_anchors = 1,
                                .untrusted = &issuing,
                                .n_untrusted = 1};

    if (path_verify(signer, &path, e) != 0) {
        return err_wrap(e, "signer");
    }
    if (X509_check_issued(issuing, signer) != X509_V_OK ||
        X509_verify(signer, X509_get0_pubkey(issuing)) != 1) {
        ERR_clear_error();
        return err_set(e, ERR_DENIED, "signer: not issued by the issuing CA");
    }
    return 0;
}

struct envelope *
envelope_open(struct span cms, const struct envelope_rules *rules, struct err *e)
{
    static const char *const labels[] = {"CMS", "PKCS7", NULL};
    CLEANUP(destroy) struct envelope *out = mem_new(sizeof(*out));
    CLEANUP(cms_cleanup) CMS_ContentInfo *parsed = NULL;

    out->cms = BUF_INIT(ENVELOPE_MAX);
    out->content = BUF_INIT(ENVELOPE_CONTENT_MAX);
    if (cms.n > 0 && cms.p[0] == '{') {
        (void)err_set(e, ERR_INPUT, "%s: not signed: make a CMS of it (openssl cms -sign)",
                      rules->what);
        return NULL;
    }
    if (pem_unwrap(cms, labels, rules->what, &out->cms, e) != 0) {
        return NULL;
    }
    parsed = cms_read(&out->cms, e);
    if (parsed == NULL || form_check(parsed, e) != 0 || signature_check(parsed, out, e) != 0 ||
        signer_check(out->signer, rules, e) != 0) {
        (void)err_wrap(e, "%s", rules->what);
        return NULL;
    }
    return TAKE(out);
}
