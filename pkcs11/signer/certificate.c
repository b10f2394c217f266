/* SPDX-License-Identifier: Apache-2.0 */
/* End entity certificates only: what this key signs can never act as a CA. */
#include <openssl/x509v3.h>
#include <string.h>

#include "base/ossl.h"
#include "pkcs11/signer/der.h"
#include "pkcs11/signer/extension.h"
#include "pkcs11/signer/object.h"
#include "pkcs11/signer/purpose.h"

enum { SERIAL_SIZE = 16, KEY_CERT_SIGN = 5, CRL_SIGN = 6 };

DEFINE_CLEANUP(akid_cleanup, AUTHORITY_KEYID, AUTHORITY_KEYID_free)
DEFINE_CLEANUP(bit_string_cleanup, ASN1_BIT_STRING, ASN1_BIT_STRING_free)
DEFINE_CLEANUP(basic_constraints_cleanup, BASIC_CONSTRAINTS, BASIC_CONSTRAINTS_free)

/* The TBS in a dummy-signed certificate; what OpenSSL understood must encode to the same bytes, or
 * the bytes hold something that was not looked at. */
static X509 *
decode(const struct policy *p, struct span tbs, struct err *e)
{
    CLEANUP(buf_free) struct buf whole = BUF_INIT(OBJECT_CERTIFICATE_MAX + 64);
    CLEANUP(x509_cleanup) X509 *x = NULL;
    unsigned char *again = NULL;
    int n;
    bool same;

    if (object_der_check(tbs, e) != 0 ||
        der_wrap_signed(tbs, key_algorithm_identifier(p->algorithm), &whole, e) != 0) {
        return NULL;
    }
    x = certificate_parse_keyless(buf_span(&whole), e);
    if (x == NULL) {
        (void)err_wrap(e, "TBSCertificate");
        return NULL;
    }
    n = i2d_re_X509_tbs(x, &again);
    same = n > 0 && span_equal(span_of(again, (size_t)n), tbs);
    OPENSSL_free(again);
    if (!same) {
        (void)err_set(e, ERR_INPUT, "the TBSCertificate does not encode to the same bytes again");
        return NULL;
    }
    return TAKE(x);
}

static int
check_serial(const X509 *x, struct err *e)
{
    const ASN1_INTEGER *serial = X509_get0_serialNumber(x);
    const uint8_t *octets = ASN1_STRING_get0_data(serial);

    /* Always 16 octets, never negative (RFC 5280 4.1.2.2). */
    if (ASN1_STRING_type(serial) != V_ASN1_INTEGER || ASN1_STRING_length(serial) != SERIAL_SIZE ||
        (octets[0] & 0xc0) != 0x40) {
        return err_set(e, ERR_DENIED, "the serial number is not 16 octets that begin with 01");
    }
    return 0;
}

static int
check_names(const struct policy *p, X509 *x, struct err *e)
{
    CLEANUP(buf_free) struct buf issuer = BUF_INIT(OBJECT_CERTIFICATE_MAX);
    CLEANUP(buf_free) struct buf subject = BUF_INIT(OBJECT_CERTIFICATE_MAX);

    if (OSSL_ENCODE(X509_NAME, X509_get_issuer_name(x), &issuer, e) != 0 ||
        OSSL_ENCODE(X509_NAME, X509_get_subject_name(x), &subject, e) != 0) {
        return -1;
    }
    if (!span_equal(buf_span(&issuer), buf_span(&p->issuer_name))) {
        return err_set(e, ERR_DENIED, "the issuer is not the subject of the issuing certificate");
    }
    if (span_equal(buf_span(&subject), buf_span(&p->issuer_name))) {
        return err_set(e, ERR_DENIED, "the subject is the issuer: self-issued");
    }
    return 0;
}

static int
check_validity(const struct policy *p, const X509 *x, struct err *e)
{
    struct tm from_tm;
    struct tm to_tm;
    time_t from;
    time_t to;

    if (ASN1_TIME_to_tm(X509_get0_notBefore(x), &from_tm) != 1 ||
        ASN1_TIME_to_tm(X509_get0_notAfter(x), &to_tm) != 1) {
        return ossl_err(e, ERR_INPUT, "validity");
    }
    from = timegm(&from_tm);
    to = timegm(&to_tm);
    if (to < from || to - from > p->max_validity) {
        return err_set(e, ERR_DENIED, "valid for %lld s, the policy allows %lld s",
                       (long long)(to - from), (long long)p->max_validity);
    }
    /* An end entity certificate must not outlive its issuer. */
    if (from < p->issuer_not_before || to > p->issuer_not_after) {
        return err_set(e, ERR_DENIED, "the validity is not within the issuing certificate's");
    }
    return 0;
}

static int
check_key(const struct policy *p, const X509 *x, struct err *e)
{
    CLEANUP(buf_free) struct buf spki = BUF_INIT(OBJECT_CERTIFICATE_MAX);

    if (OSSL_ENCODE(X509_PUBKEY, X509_get_X509_PUBKEY(x), &spki, e) != 0) {
        return -1;
    }
    if (span_equal(buf_span(&spki), buf_span(&p->spki))) {
        return err_set(e, ERR_DENIED, "the certificate is for this signer's own key");
    }
    return 0;
}

static int
check_key_usage(const X509 *x, struct err *e)
{
    int critical = -1;
    CLEANUP(bit_string_cleanup)
    ASN1_BIT_STRING *usage = X509_get_ext_d2i(x, NID_key_usage, &critical, NULL);

    if (usage == NULL || critical != 1) {
        (void)ossl_err(e, ERR_DENIED, "no critical keyUsage");
        return -1;
    }
    if (ASN1_BIT_STRING_get_bit(usage, KEY_CERT_SIGN) != 0 ||
        ASN1_BIT_STRING_get_bit(usage, CRL_SIGN) != 0) {
        return err_set(e, ERR_DENIED, "keyUsage has keyCertSign or cRLSign");
    }
    return 0;
}

static int
check_basic_constraints(const X509 *x, struct err *e)
{
    int critical = -1;
    CLEANUP(basic_constraints_cleanup)
    BASIC_CONSTRAINTS *bc = X509_get_ext_d2i(x, NID_basic_constraints, &critical, NULL);

    /* -1: absent, which is the rule for end entities. Present but undecodable is refused. */
    if (bc == NULL) {
        return critical == -1 ? 0 : ossl_err(e, ERR_INPUT, "basicConstraints cannot be decoded");
    }
    if (bc->ca != 0 || bc->pathlen != NULL) {
        return err_set(e, ERR_DENIED, "basicConstraints says CA:TRUE");
    }
    return 0;
}

static int
check_authority_key(const struct policy *p, const X509 *x, struct err *e)
{
    CLEANUP(akid_cleanup)
    AUTHORITY_KEYID *aki = X509_get_ext_d2i(x, NID_authority_key_identifier, NULL, NULL);

    if (aki == NULL || aki->keyid == NULL ||
        !span_equal(
            span_of(ASN1_STRING_get0_data(aki->keyid), (size_t)ASN1_STRING_length(aki->keyid)),
            buf_span(&p->issuer_ski))) {
        (void)ossl_err(e, ERR_DENIED,
                       "authorityKeyIdentifier is not the issuing certificate's key identifier");
        return -1;
    }
    return 0;
}

/* Critical extensions that this checker understands; each OID once (RFC 5280 4.2). */
static int
check_extensions(const X509 *x, struct err *e)
{
    for (int i = 0; i < X509_get_ext_count(x); i++) {
        X509_EXTENSION *extension = X509_get_ext(x, i);
        const ASN1_OBJECT *oid = X509_EXTENSION_get_object(extension);
        int nid = OBJ_obj2nid(oid);

        if (X509_get_ext_by_OBJ(x, oid, i) >= 0) {
            return err_set(e, ERR_DENIED, "an extension is there twice");
        }
        if (X509_EXTENSION_get_critical(extension) != 0 && nid != NID_key_usage &&
            nid != NID_basic_constraints && nid != NID_subject_alt_name) {
            return err_set(e, ERR_DENIED, "a critical extension that this signer does not know");
        }
    }
    return 0;
}

static int
check_head(const struct policy *p, const X509 *x, struct err *e)
{
    CLEANUP(buf_free) struct buf algorithm = BUF_INIT(256);
    const ASN1_BIT_STRING *issuer_id = NULL;
    const ASN1_BIT_STRING *subject_id = NULL;

    if (OSSL_ENCODE(X509_ALGOR, X509_get0_tbs_sigalg(x), &algorithm, e) != 0) {
        return -1;
    }
    X509_get0_uids(x, &issuer_id, &subject_id);
    if (X509_get_version(x) != X509_VERSION_3 || issuer_id != NULL || subject_id != NULL) {
        return err_set(e, ERR_DENIED, "not version 3, or with unique identifiers");
    }
    if (!span_equal(buf_span(&algorithm), key_algorithm_identifier(p->algorithm))) {
        return err_set(e, ERR_DENIED, "the signature algorithm is not that of a %s key",
                       key_algorithm_name(p->algorithm));
    }
    return 0;
}

int
object_check_certificate(const struct policy *p, struct span tbs, struct err *e)
{
    CLEANUP(x509_cleanup) X509 *x = decode(p, tbs, e);

    if (x == NULL || check_head(p, x, e) != 0 || check_serial(x, e) != 0 ||
        check_names(p, x, e) != 0 || check_validity(p, x, e) != 0 || check_key(p, x, e) != 0 ||
        check_extensions(x, e) != 0 || check_key_usage(x, e) != 0 ||
        check_basic_constraints(x, e) != 0 || check_authority_key(p, x, e) != 0) {
        return -1;
    }
    return purpose_check(p, x, e) != 0 ? -1 : extension_check_certificate(x, e);
}

/* TBSCertificate ::= SEQUENCE { [0] version, serialNumber, ... } */
int
object_serial(struct span tbs, uint8_t serial[AGAIN_SERIAL], struct err *e)
{
    struct der certificate;
    struct der version;
    struct der number;

    if (object_der_expect(&tbs, DER_SEQUENCE, "TBSCertificate", &certificate, e) != 0 ||
        object_der_next(&certificate.content, "version", &version, e) != 0 ||
        object_der_expect(&certificate.content, DER_INTEGER, "serialNumber", &number, e) != 0) {
        return -1;
    }
    if (number.content.n != AGAIN_SERIAL) {
        return err_set(e, ERR_INPUT, "serialNumber: %zu octets", number.content.n);
    }
    memcpy(serial, number.content.p, AGAIN_SERIAL);
    return 0;
}

static int
take_time(struct span *in, char out[TIME_TEXT_SIZE], struct err *e)
{
    CLEANUP(asn1_time_cleanup) ASN1_TIME *time = NULL;
    const unsigned char *at;
    struct der element;
    struct tm tm;

    if (object_der_next(in, "validity", &element, e) != 0) {
        return -1;
    }
    at = element.whole.p;
    time = d2i_ASN1_TIME(NULL, &at, (long)element.whole.n);
    if (time == NULL || ASN1_TIME_to_tm(time, &tm) != 1) {
        return ossl_err(e, ERR_INPUT, "validity");
    }
    time_format(timegm(&tm), out);
    return 0;
}

int
object_validity(struct span tbs, char from[TIME_TEXT_SIZE], char to[TIME_TEXT_SIZE], struct err *e)
{
    struct der certificate;
    struct der passed;
    struct der validity;

    if (object_der_expect(&tbs, DER_SEQUENCE, "TBSCertificate", &certificate, e) != 0 ||
        object_der_next(&certificate.content, "version", &passed, e) != 0 ||
        object_der_next(&certificate.content, "serialNumber", &passed, e) != 0 ||
        object_der_next(&certificate.content, "signature", &passed, e) != 0 ||
        object_der_next(&certificate.content, "issuer", &passed, e) != 0 ||
        object_der_expect(&certificate.content, DER_SEQUENCE, "validity", &validity, e) != 0) {
        return -1;
    }
    return take_time(&validity.content, from, e) != 0 ? -1 : take_time(&validity.content, to, e);
}
