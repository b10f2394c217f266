/* SPDX-License-Identifier: Apache-2.0 */
/* What the octets of a certificate say before anybody asks what it is for. */
#include <openssl/err.h>
#include <string.h>

#include "db/audit/der/canonical.h"
#include "db/audit/lint/case.h"

enum {
    VERSION_3 = 2,
    SERIAL_OCTETS_MIN = 8, /* 64 bits */
    SERIAL_OCTETS_MAX = 20,
};

/* One that is read and written again gives the same octets, so two readers read the same. */
enum lint_outcome
lint_der_canonical(const struct lint_case *c, struct err *why)
{
    CLEANUP(buf_free) struct buf again = BUF_INIT(LEAF_MAX);
    unsigned char *tbs = NULL;
    const int n = i2d_re_X509_tbs(c->certificate, &tbs);
    const bool same = n > 0 && span_equal(span_of(tbs, (size_t)n), c->outline.tbs) &&
                      OSSL_ENCODE(X509, c->certificate, &again, why) == 0 &&
                      span_equal(buf_span(&again), c->der);

    OPENSSL_free(tbs);
    if (!same) {
        ERR_clear_error();
        return LINT_FAIL(why, "encoding it again gives other octets");
    }
    return audit_der_canonical(c->der, why) == 0 ? LINT_PASSED : LINT_FAILED;
}

enum lint_outcome
lint_version(const struct lint_case *c, struct err *why)
{
    return X509_get_version(c->certificate) == VERSION_3
               ? LINT_PASSED
               : LINT_FAIL(why, "it is of version %ld", X509_get_version(c->certificate) + 1);
}

enum lint_outcome
lint_serial_positive(const struct lint_case *c, struct err *why)
{
    const ASN1_INTEGER *serial = X509_get0_serialNumber(c->certificate);
    bool zero = true;

    for (int i = 0; i < ASN1_STRING_length(serial); i++) {
        zero = zero && ASN1_STRING_get0_data(serial)[i] == 0;
    }
    return ASN1_STRING_type(serial) == V_ASN1_INTEGER && !zero
               ? LINT_PASSED
               : LINT_FAIL(why, "it is %s", zero ? "zero" : "negative");
}

enum lint_outcome
lint_serial_size(const struct lint_case *c, struct err *why)
{
    const int n = ASN1_STRING_length(X509_get0_serialNumber(c->certificate));

    return n >= SERIAL_OCTETS_MIN && n <= SERIAL_OCTETS_MAX
               ? LINT_PASSED
               : LINT_FAIL(why, "it has %d octets, not %d to %d", n, SERIAL_OCTETS_MIN,
                           SERIAL_OCTETS_MAX);
}

enum lint_outcome
lint_serial_twice(const struct lint_case *c, struct err *why)
{
    return c->serial_twice ? LINT_FAIL(why, "another certificate before has it, too") : LINT_PASSED;
}

enum lint_outcome
lint_serial_intent(const struct lint_case *c, struct err *why)
{
    CLEANUP(mem_cleanup) char *own = hex_dup(c->outline.serial);

    return strcmp(own, leaf_text(c->intent, "serial")) == 0
               ? LINT_PASSED
               : LINT_FAIL(why, "it is %s, the INTENT says another", own);
}

enum lint_outcome
lint_tbs_intent(const struct lint_case *c, struct err *why)
{
    uint8_t hash[SHA256_SIZE];
    char hex[2 * SHA256_SIZE + 1];

    if (sha256(c->outline.tbs, hash, why) != 0) {
        return LINT_NOT_RUN;
    }
    hex_format(span_of(hash, sizeof(hash)), hex);
    return strcmp(hex, leaf_text(c->intent, "tbs")) == 0
               ? LINT_PASSED
               : LINT_FAIL(why, "its SHA-256 is %s, the INTENT says another", hex);
}

/* TS 33.310 6.1.1: SHA-256 or SHA-384; ECDSA, or RSA with PKCS #1 v1.5. */
enum lint_outcome
lint_signature_algorithm(const struct lint_case *c, struct err *why)
{
    static const int allowed[] = {NID_ecdsa_with_SHA256, NID_ecdsa_with_SHA384,
                                  NID_sha256WithRSAEncryption, NID_sha384WithRSAEncryption};
    const X509_ALGOR *outer;
    const ASN1_BIT_STRING *signature;

    X509_get0_signature(&signature, &outer, c->certificate);
    /* RFC 5280 4.1.1.2: the same algorithm, with the same parameters */
    if (X509_ALGOR_cmp(outer, X509_get0_tbs_sigalg(c->certificate)) != 0) {
        return LINT_FAIL(why, "the TBSCertificate names another algorithm than the certificate");
    }
    for (size_t i = 0; i < ARRAY_LEN(allowed); i++) {
        if (X509_get_signature_nid(c->certificate) == allowed[i]) {
            return LINT_PASSED;
        }
    }
    return LINT_FAIL(why, "it is %s", OBJ_nid2sn(X509_get_signature_nid(c->certificate)));
}

enum lint_outcome
lint_signature_issuer(const struct lint_case *c, struct err *why)
{
    EVP_PKEY *key = X509_get0_pubkey(c->issuer);
    const bool good = key != NULL && X509_verify(c->certificate, key) == 1;

    ERR_clear_error();
    return good ? LINT_PASSED : LINT_FAIL(why, "it does not verify with the issuing key");
}

/* RFC 5280 4.1.2.8: CAs MUST NOT generate these. */
enum lint_outcome
lint_unique_ids(const struct lint_case *c, struct err *why)
{
    const ASN1_BIT_STRING *issuer;
    const ASN1_BIT_STRING *subject;

    X509_get0_uids(c->certificate, &issuer, &subject);
    return issuer == NULL && subject == NULL ? LINT_PASSED : LINT_FAIL(why, "it has one");
}
