/* SPDX-License-Identifier: Apache-2.0 */
/* Whole, direct CRLs of the issuer: no delta and no indirect ones (those need a critical extension,
 * RFC 5280 5.2.4 and 5.2.5, and no critical extension passes). */
#include <openssl/x509v3.h>

#include "base/ossl.h"
#include "pkcs11/signer/der.h"
#include "pkcs11/signer/extension.h"
#include "pkcs11/signer/object.h"

enum { NOT_COMPARABLE = -2 }; /* of ASN1_TIME_compare() */

DEFINE_CLEANUP(akid_cleanup, AUTHORITY_KEYID, AUTHORITY_KEYID_free)

static X509_CRL *
decode(const struct policy *p, struct span tbs, struct err *e)
{
    CLEANUP(buf_free) struct buf whole = BUF_INIT(OBJECT_CRL_MAX + 64);
    CLEANUP(x509_crl_cleanup) X509_CRL *crl = NULL;
    const unsigned char *at;
    unsigned char *again = NULL;
    int n;
    bool same;

    if (object_der_check(tbs, e) != 0 ||
        der_wrap_signed(tbs, key_algorithm_identifier(p->algorithm), &whole, e) != 0) {
        return NULL;
    }
    at = whole.p; /* one SEQUENCE, to the end: nothing can be left behind it */
    crl = d2i_X509_CRL(NULL, &at, (long)whole.n);
    if (crl == NULL) {
        (void)ossl_err(e, ERR_INPUT, "not a TBSCertList");
        return NULL;
    }
    n = i2d_re_X509_CRL_tbs(crl, &again);
    same = n > 0 && span_equal(span_of(again, (size_t)n), tbs);
    OPENSSL_free(again);
    if (!same) {
        (void)err_set(e, ERR_INPUT, "the TBSCertList does not encode to the same bytes again");
        return NULL;
    }
    return TAKE(crl);
}

/* TBSCertList ::= SEQUENCE { version, signature, issuer, ... } (RFC 5280 5.1): OpenSSL 3.0 does not
 * give the inner algorithm out. */
static int
check_head(const struct policy *p, struct span tbs, struct err *e)
{
    struct der list;
    struct der version;
    struct der algorithm;
    struct der issuer;

    if (object_der_expect(&tbs, DER_SEQUENCE, "TBSCertList", &list, e) != 0 ||
        object_der_expect(&list.content, DER_INTEGER, "version", &version, e) != 0 ||
        object_der_expect(&list.content, DER_SEQUENCE, "signature", &algorithm, e) != 0 ||
        object_der_expect(&list.content, DER_SEQUENCE, "issuer", &issuer, e) != 0) {
        return -1;
    }
    if (version.content.n != 1 || version.content.p[0] != 1) {
        return err_set(e, ERR_DENIED, "not a version 2 CRL");
    }
    if (!span_equal(algorithm.whole, key_algorithm_identifier(p->algorithm))) {
        return err_set(e, ERR_DENIED, "the signature algorithm is not that of a %s key",
                       key_algorithm_name(p->algorithm));
    }
    if (!span_equal(issuer.whole, buf_span(&p->issuer_name))) {
        return err_set(e, ERR_DENIED, "the issuer is not the subject of the issuing certificate");
    }
    return 0;
}

static int
check_times(const struct policy *p, const X509_CRL *crl, struct err *e)
{
    const ASN1_TIME *next = X509_CRL_get0_nextUpdate(crl);
    struct tm from_tm;
    struct tm to_tm;
    time_t length;

    if (next == NULL || ASN1_TIME_to_tm(next, &to_tm) != 1 ||
        ASN1_TIME_to_tm(X509_CRL_get0_lastUpdate(crl), &from_tm) != 1) {
        return ossl_err(e, ERR_INPUT, "thisUpdate and nextUpdate must be there");
    }
    length = timegm(&to_tm) - timegm(&from_tm);
    if (length <= 0 || length > p->max_crl_validity) {
        return err_set(e, ERR_DENIED, "a CRL for %lld s, the policy allows %lld s",
                       (long long)length, (long long)p->max_crl_validity);
    }
    return 0;
}

static int
check_entries(X509_CRL *crl, struct err *e)
{
    STACK_OF(X509_REVOKED) *revoked = X509_CRL_get_REVOKED(crl);
    const ASN1_TIME *issued = X509_CRL_get0_lastUpdate(crl);

    for (int i = 0; i < sk_X509_REVOKED_num(revoked); i++) {
        const X509_REVOKED *entry = sk_X509_REVOKED_value(revoked, i);
        int order = ASN1_TIME_compare(X509_REVOKED_get0_revocationDate(entry), issued);

        if (order == NOT_COMPARABLE) {
            return err_set(e, ERR_INPUT, "entry %d has a revocationDate that is no time", i);
        }
        if (order > 0) {
            return err_set(e, ERR_DENIED, "entry %d is revoked after thisUpdate", i);
        }
        /* What its leaf must say of an entry is all that there is on it. */
        if (ASN1_STRING_type(X509_REVOKED_get0_serialNumber(entry)) != V_ASN1_INTEGER) {
            return err_set(e, ERR_DENIED, "entry %d has a serial number below 0", i);
        }
        if (X509_REVOKED_get_ext_count(entry) > 1) {
            return err_set(e, ERR_DENIED, "entry %d has more than one extension", i);
        }
        for (int k = 0; k < X509_REVOKED_get_ext_count(entry); k++) {
            if (X509_EXTENSION_get_critical(X509_REVOKED_get_ext(entry, k)) != 0) {
                return err_set(e, ERR_DENIED, "entry %d has a critical extension", i);
            }
        }
    }
    return 0;
}

static int
check_extensions(const struct policy *p, const X509_CRL *crl, struct err *e)
{
    CLEANUP(asn1_integer_cleanup)
    ASN1_INTEGER *number = X509_CRL_get_ext_d2i(crl, NID_crl_number, NULL, NULL);
    CLEANUP(akid_cleanup)
    AUTHORITY_KEYID *aki = X509_CRL_get_ext_d2i(crl, NID_authority_key_identifier, NULL, NULL);

    if (number == NULL || ASN1_STRING_type(number) != V_ASN1_INTEGER ||
        ASN1_STRING_length(number) > 20) {
        return ossl_err(e, ERR_DENIED, "no cRLNumber of at most 20 octets (RFC 5280 5.2.3)");
    }
    if (aki == NULL || aki->keyid == NULL ||
        !span_equal(
            span_of(ASN1_STRING_get0_data(aki->keyid), (size_t)ASN1_STRING_length(aki->keyid)),
            buf_span(&p->issuer_ski))) {
        return ossl_err(e, ERR_DENIED,
                        "authorityKeyIdentifier is not the issuing certificate's key identifier");
    }
    for (int i = 0; i < X509_CRL_get_ext_count(crl); i++) {
        if (X509_EXTENSION_get_critical(X509_CRL_get_ext(crl, i)) != 0) {
            return err_set(e, ERR_DENIED, "a critical extension: a delta, partial or indirect CRL");
        }
    }
    return 0;
}

/* ---- what its leaf must say ---- */

static int
number_read(X509_CRL *crl, uint64_t *out, struct err *e)
{
    CLEANUP(asn1_integer_cleanup)
    ASN1_INTEGER *number = X509_CRL_get_ext_d2i(crl, NID_crl_number, NULL, NULL);

    return number != NULL && ASN1_INTEGER_get_uint64(out, number) == 1 && *out <= INT64_MAX
               ? 0
               : ossl_err(e, ERR_DENIED, "cRLNumber is above 2^63-1");
}

static int
time_read(const ASN1_TIME *time, const char *what, char out[TIME_TEXT_SIZE], struct err *e)
{
    struct tm tm;

    if (time == NULL || ASN1_TIME_to_tm(time, &tm) != 1) {
        return ossl_err(e, ERR_INPUT, "%s", what);
    }
    time_format(timegm(&tm), out);
    return 0;
}

/* Unspecified when none is said (RFC 5280 5.3.1). */
static int
reason_read(const X509_REVOKED *entry, long *reason, struct err *e)
{
    ASN1_ENUMERATED *found = X509_REVOKED_get_ext_d2i(entry, NID_crl_reason, NULL, NULL);

    *reason = found == NULL ? 0 : ASN1_ENUMERATED_get(found);
    ASN1_ENUMERATED_free(found);
    return found != NULL || X509_REVOKED_get_ext_count(entry) == 0
               ? 0
               : ossl_err(e, ERR_INPUT, "reasonCode");
}

static int
entry_add(EVP_MD_CTX *ctx, const X509_REVOKED *entry, struct err *e)
{
    const ASN1_INTEGER *serial = X509_REVOKED_get0_serialNumber(entry);
    CLEANUP(mem_cleanup)
    char *hex = hex_dup(span_of(ASN1_STRING_get0_data(serial), (size_t)ASN1_STRING_length(serial)));
    CLEANUP(mem_cleanup) char *line = NULL;
    char date[TIME_TEXT_SIZE];
    long reason;

    if (time_read(X509_REVOKED_get0_revocationDate(entry), "revocationDate", date, e) != 0 ||
        reason_read(entry, &reason, e) != 0) {
        return -1;
    }
    line = mem_printf("%s %s %ld\n", hex, date, reason);
    return EVP_DigestUpdate(ctx, line, span_str(line).n) == 1
               ? 0
               : ossl_err(e, ERR_CRYPTO, "digest of a CRL's entries");
}

static int
said_read(X509_CRL *crl, struct crl_said *said, struct err *e)
{
    STACK_OF(X509_REVOKED) *revoked = X509_CRL_get_REVOKED(crl);
    const int n = revoked == NULL ? 0 : sk_X509_REVOKED_num(revoked);
    CLEANUP(evp_md_ctx_cleanup) EVP_MD_CTX *ctx = EVP_MD_CTX_new();

    said->entries = (size_t)n;
    if (number_read(crl, &said->number, e) != 0 ||
        time_read(X509_CRL_get0_lastUpdate(crl), "thisUpdate", said->this_update, e) != 0 ||
        time_read(X509_CRL_get0_nextUpdate(crl), "nextUpdate", said->next_update, e) != 0) {
        return -1;
    }
    if (ctx == NULL || EVP_DigestInit_ex2(ctx, EVP_sha256(), NULL) != 1) {
        return ossl_err(e, ERR_CRYPTO, "digest of a CRL's entries");
    }
    for (int i = 0; i < n; i++) {
        if (entry_add(ctx, sk_X509_REVOKED_value(revoked, i), e) != 0) {
            return err_wrap(e, "entry %d", i);
        }
    }
    return EVP_DigestFinal_ex(ctx, said->revocations, NULL) == 1
               ? 0
               : ossl_err(e, ERR_CRYPTO, "digest of a CRL's entries");
}

int
object_check_crl(const struct policy *p, struct span tbs, struct crl_said *said, struct err *e)
{
    CLEANUP(x509_crl_cleanup) X509_CRL *crl = decode(p, tbs, e);

    if (crl == NULL || check_head(p, tbs, e) != 0 || check_times(p, crl, e) != 0 ||
        check_extensions(p, crl, e) != 0 || check_entries(crl, e) != 0 ||
        extension_check_crl(crl, e) != 0) {
        return -1;
    }
    return said == NULL ? 0 : said_read(crl, said, e);
}

int
object_crl_head(const struct policy *p, struct span tbs, struct crl_head *head, struct err *e)
{
    CLEANUP(x509_crl_cleanup) X509_CRL *crl = decode(p, tbs, e);
    struct tm tm;

    if (crl == NULL || sha256(tbs, head->hash, e) != 0 || number_read(crl, &head->number, e) != 0) {
        return -1;
    }
    if (ASN1_TIME_to_tm(X509_CRL_get0_lastUpdate(crl), &tm) != 1) {
        return ossl_err(e, ERR_INPUT, "thisUpdate");
    }
    head->this_update = timegm(&tm);
    return head->this_update >= 0 ? 0 : err_set(e, ERR_DENIED, "thisUpdate is before 1970");
}
