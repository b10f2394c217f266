/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/db/audit/rules/ra.h"

#include "db/audit/der/certificate.h"
#include "tests/support/test.h"

void
audit_ra_key_hash(EVP_PKEY *key, uint8_t hash[SHA256_SIZE])
{
    CLEANUP(buf_free) struct buf spki = BUF_INIT(1024);
    struct err e = {0};

    assert_ok(OSSL_ENCODE(PUBKEY, key, &spki, &e), &e);
    assert_ok(sha256(buf_span(&spki), hash, &e), &e);
}

struct audit_ra
audit_ra_new(EVP_PKEY *key, long serial, time_t not_before, time_t not_after)
{
    X509 *x = X509_new();
    struct audit_ra ra = {.key = key, .certificate = x};
    X509_NAME *name = X509_get_subject_name(x);

    assert_int_equal(X509_set_version(x, X509_VERSION_3), 1);
    assert_int_equal(ASN1_INTEGER_set(X509_get_serialNumber(x), serial), 1);
    assert_int_equal(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8,
                                                (const unsigned char *)"RA", -1, -1, 0),
                     1);
    assert_int_equal(X509_set_issuer_name(x, name), 1);
    assert_non_null(ASN1_TIME_set(X509_getm_notBefore(x), not_before));
    assert_non_null(ASN1_TIME_set(X509_getm_notAfter(x), not_after));
    assert_int_equal(X509_set_pubkey(x, key), 1);
    assert_true(X509_sign(x, key, EVP_sha256()) > 0);
    ra.serial = audit_certificate_serial(x);
    audit_ra_key_hash(key, ra.key_hash);
    return ra;
}

void
audit_ra_end(struct audit_ra *ra)
{
    EVP_PKEY_free(ra->key);
    X509_free(ra->certificate);
    mem_free(ra->serial);
}

void
audit_ra_sign(EVP_PKEY *key, bool other_digest, struct span text, struct leaf *leaf)
{
    CLEANUP(evp_md_ctx_cleanup) EVP_MD_CTX *context = EVP_MD_CTX_new();
    const EVP_MD *md =
        (EVP_PKEY_get_bits(key) == 384) != other_digest ? EVP_sha384() : EVP_sha256();
    uint8_t signature[256];
    size_t n = sizeof(signature);

    assert_int_equal(EVP_DigestSignInit(context, NULL, md, NULL, key), 1);
    assert_int_equal(EVP_DigestSign(context, signature, &n, text.p, text.n), 1);
    leaf_set_base64(leaf, "signature", span_of(signature, n));
}
