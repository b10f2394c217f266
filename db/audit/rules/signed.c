/* SPDX-License-Identifier: Apache-2.0 */
#include "db/audit/rules/signed.h"

#include <openssl/err.h>

int
audit_signed_octets(struct span der, X509 *signer, struct buf *content, struct err *e)
{
    CLEANUP(cms_cleanup) CMS_ContentInfo *cms = NULL;
    CLEANUP(bio_cleanup) BIO *bio = BIO_new(BIO_s_mem());
    STACK_OF(X509) *signers = sk_X509_new_null();
    const unsigned char *p = der.p;
    char *text;
    long n;
    int verified = 0;

    if (bio != NULL && sk_X509_push(signers, signer) > 0) {
        cms = d2i_CMS_ContentInfo(NULL, &p, (long)der.n);
    }
    if (cms != NULL && p == der.p + der.n) {
        /* Under this certificate and no other. */
        verified = CMS_verify(cms, signers, NULL, NULL, bio,
                              CMS_BINARY | CMS_NOINTERN | CMS_NO_SIGNER_CERT_VERIFY);
    }
    sk_X509_free(signers);
    if (verified != 1) {
        return ossl_err(e, ERR_CRYPTO, "the signature does not verify");
    }
    n = BIO_get_mem_data(bio, &text);
    return buf_set(content, span_of(text, n < 0 ? 0 : (size_t)n), e);
}

int
audit_signed_member(const struct leaf *leaf, const char *member, X509 *signer, struct buf *content,
                    struct err *e)
{
    CLEANUP(buf_free) struct buf der = BUF_INIT(LEAF_MAX);

    if (base64_parse(leaf_text(leaf, member), &der, e) != 0 ||
        audit_signed_octets(buf_span(&der), signer, content, e) != 0) {
        return err_wrap(e, "the %s", leaf_kind_name(leaf_kind(leaf)));
    }
    return 0;
}

int
audit_signed_content(const struct leaf *leaf, X509 *signer, struct buf *content, struct err *e)
{
    return audit_signed_member(leaf, "cms", signer, content, e);
}
