/* SPDX-License-Identifier: Apache-2.0 */
#include "db/audit/rules/ra_signed.h"

#include <string.h>

#include "base/validity.h"

X509 *
audit_ra_good(const struct audit_holders *ras, const char *serial, time_t at)
{
    const struct audit_holder *ra = audit_holders_find(ras, serial);

    return ra != NULL && validity_has(ra->certificate, at) ? ra->certificate : NULL;
}

static int
check_key(const struct audit_ra_text *t, X509 *ra, const char *serial, struct err *e)
{
    uint8_t hash[SHA256_SIZE];

    if (certificate_key_hash(ra, hash, e) != 0) {
        return -1;
    }
    return memcmp(hash, t->key, sizeof(hash)) == 0
               ? 0
               : err_set(e, ERR_CRYPTO, "a %s by serial %s that names another key", t->what,
                         serial);
}

/* SHA-384 with a key on P-384, SHA-256 with the others that an RA may have. */
static int
check_signature(const struct audit_ra_text *t, X509 *ra, struct span signature, const char *serial,
                struct err *e)
{
    CLEANUP(evp_md_ctx_cleanup) EVP_MD_CTX *context = EVP_MD_CTX_new();
    EVP_PKEY *key = X509_get0_pubkey(ra);
    const EVP_MD *md = EVP_PKEY_get_bits(key) == 384 ? EVP_sha384() : EVP_sha256();

    return context != NULL && EVP_DigestVerifyInit(context, NULL, md, NULL, key) == 1 &&
                   EVP_DigestVerify(context, signature.p, signature.n, t->text.p, t->text.n) == 1
               ? 0
               : ossl_err(e, ERR_CRYPTO, "a %s by serial %s whose signature does not verify",
                          t->what, serial);
}

int
audit_ra_signed_check(const struct audit_holders *ras, const struct leaf *leaf,
                      const struct audit_ra_text *t, const char *issuer, struct err *e)
{
    CLEANUP(buf_free) struct buf signature = BUF_INIT(LEAF_MAX);
    const char *serial = leaf_text(leaf, "ra");
    X509 *ra = audit_ra_good(ras, serial, leaf_time(leaf));
    char ca[2 * SHA256_SIZE + 1];

    if (ra == NULL) {
        return err_set(e, ERR_CRYPTO, "a %s by serial %s, which is no RA then", t->what, serial);
    }
    hex_format(span_of(t->ca, SHA256_SIZE), ca);
    if (strcmp(ca, issuer) != 0) {
        return err_set(e, ERR_CRYPTO, "a %s by serial %s that is meant for another CA", t->what,
                       serial);
    }
    return check_key(t, ra, serial, e) != 0 ||
                   base64_parse(leaf_text(leaf, "signature"), &signature, e) != 0
               ? -1
               : check_signature(t, ra, buf_span(&signature), serial, e);
}
