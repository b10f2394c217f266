/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The expected value of every field and extension is encoded by OpenSSL from the request, and
 * compared octet for octet with what stands in the TBS: nothing of tbs/tbs.c or der.c's writer is
 * used for what is compared.
 */
#include "ca/x509/lint/lint.h"

#include <openssl/err.h>
#include <string.h>

#include "ca/x509/der.h"
#include "ca/x509/lint/extensions.h"
#include "ca/x509/pubkey.h"

enum { WRAP = 64 };

/* A certificate around the TBS, with its own algorithm and a signature of no octets. */
static X509 *
wrap(struct span tbs, struct err *e)
{
    CLEANUP(buf_free) struct buf bytes = BUF_INIT(TBS_MAX + WRAP);
    struct der w = DER_WRITER(&bytes, e);
    struct span in = tbs;
    struct span body;
    struct span content;
    struct span algorithm = {0};
    uint8_t tag;
    X509 *certificate;

    if (der_expect(&in, DER_SEQUENCE, "lint: TBSCertificate", &body, e) != 0) {
        return NULL;
    }
    for (int i = 0; i < 3; i++) {
        if (der_take(&body, &tag, &content, &algorithm, e) != 0) {
            return NULL;
        }
    }
    der_begin(&w, DER_SEQUENCE);
    der_put_raw(&w, tbs);
    der_put_raw(&w, algorithm);
    der_put(&w, DER_BIT_STRING, SPAN_LITERAL("\0"));
    der_end(&w);
    if (der_finish(&w) != 0) {
        return NULL;
    }
    certificate = certificate_parse_keyless(buf_span(&bytes), e);
    if (certificate == NULL) {
        (void)err_wrap(e, "lint: TBSCertificate: does not parse");
    }
    return certificate;
}

static int
check_der(X509 *certificate, struct span tbs, struct err *e)
{
    unsigned char *again = NULL;
    int n = i2d_re_X509_tbs(certificate, &again);
    bool equal = n > 0 && span_equal(span_of(again, (size_t)n), tbs);

    OPENSSL_free(again);
    return equal ? 0 : lint_departs(e, "TBSCertificate", "encoding it again gives other octets");
}

static int
check_serial(const X509 *certificate, const struct tbs_request *expected, struct err *e)
{
    const ASN1_INTEGER *serial = X509_get0_serialNumber(certificate);

    if (ASN1_STRING_type(serial) != V_ASN1_INTEGER ||
        !span_equal(span_of(ASN1_STRING_get0_data(serial), (size_t)ASN1_STRING_length(serial)),
                    span_of(expected->serial, SERIAL_SIZE))) {
        return lint_departs(e, "serialNumber", "not the one that was decided");
    }
    /* RFC 5280 4.1.2.2, and our form: 16 octets of which the first is 01xxxxxx */
    return serial_is_shaped(ASN1_STRING_get0_data(serial))
               ? 0
               : lint_departs(e, "serialNumber", "not of the form 01xxxxxx");
}

static int
check_algorithm(const X509 *certificate, const struct tbs_request *expected, struct err *e)
{
    CLEANUP(evp_pkey_cleanup)
    EVP_PKEY *own = expected->issuer == NULL ? pubkey_parse(expected->spki, NULL, e) : NULL;
    EVP_PKEY *key = expected->issuer == NULL ? own : X509_get0_pubkey(expected->issuer);
    CLEANUP(buf_free) struct buf found = BUF_INIT(WRAP);
    struct span identifier;

    if (key == NULL || pubkey_signature_algorithm(key, &identifier, NULL, e) != 0) {
        return lint_departs(e, "signature", "the issuer's key has no algorithm of ours");
    }
    if (OSSL_ENCODE(X509_ALGOR, X509_get0_tbs_sigalg(certificate), &found, e) != 0 ||
        !span_equal(buf_span(&found), identifier)) {
        return lint_departs(e, "signature", "not the one algorithm of the issuer's key");
    }
    return 0;
}

static int
check_name(const X509_NAME *found, X509_NAME *wanted, const char *field, struct err *e)
{
    struct span a;
    struct span b;

    if (name_der(found, &a, e) != 0 || name_der(wanted, &b, e) != 0 || !span_equal(a, b)) {
        return lint_departs(e, field, "attributes, order, string types or values are others");
    }
    return 0;
}

static int
entry_add(X509_NAME *name, int nid, int type, const char *text)
{
    return text[0] == '\0' || X509_NAME_add_entry_by_NID(
                                  name, nid, type, (const unsigned char *)text, -1, -1, 0) == 1
               ? 0
               : -1;
}

static int
check_subject(const X509 *certificate, const struct tbs_request *expected, struct err *e)
{
    CLEANUP(x509_name_cleanup) X509_NAME *wanted = X509_NAME_new();
    const struct nf_identity *nf = expected->nf;
    const char *country = nf != NULL ? nf->country : expected->subject->country;
    const char *organization = nf != NULL ? nf->home_domain : expected->subject->organization;
    const char *common_name = nf != NULL ? "" : expected->subject->common_name;

    if (wanted == NULL || entry_add(wanted, NID_countryName, V_ASN1_PRINTABLESTRING, country) ||
        entry_add(wanted, NID_organizationName, V_ASN1_UTF8STRING, organization) ||
        entry_add(wanted, NID_commonName, V_ASN1_UTF8STRING, common_name)) {
        return ossl_err(e, ERR_CRYPTO, "lint: subject");
    }
    if (expected->issuer == NULL &&
        check_name(X509_get_issuer_name(certificate), wanted, "issuer", e) != 0) {
        return -1;
    }
    if (expected->issuer != NULL &&
        check_name(X509_get_issuer_name(certificate), X509_get_subject_name(expected->issuer),
                   "issuer", e) != 0) {
        return -1;
    }
    return check_name(X509_get_subject_name(certificate), wanted, "subject", e);
}

/* RFC 5280 4.1.2.5: UTCTime through 2049, GeneralizedTime after; no fractions, no offsets. */
static int
check_time(const ASN1_TIME *found, time_t wanted, const char *field, struct err *e)
{
    ASN1_TIME *again = ASN1_TIME_set(NULL, wanted);
    bool equal = again != NULL && ASN1_STRING_cmp(found, again) == 0;

    ASN1_TIME_free(again);
    return equal ? 0 : lint_departs(e, field, "not the time that was decided, or in another form");
}

static int
check_validity(const X509 *certificate, const struct tbs_request *expected, struct err *e)
{
    const ASN1_TIME *from = X509_get0_notBefore(certificate);
    const ASN1_TIME *until = X509_get0_notAfter(certificate);
    time_t most = expected->profile->max_validity;
    int days;
    int seconds;

    if (check_time(from, expected->not_before, "notBefore", e) != 0 ||
        check_time(until, expected->not_after, "notAfter", e) != 0) {
        return -1;
    }
    if (ASN1_TIME_diff(&days, &seconds, from, until) != 1 || days < 0 || seconds < 0 ||
        (days == 0 && seconds == 0)) {
        return lint_departs(e, "validity", "notAfter is not after notBefore");
    }
    if (expected->rehearsal && most > (time_t)REHEARSAL_DAYS_MAX * PROFILE_DAY) {
        most = (time_t)REHEARSAL_DAYS_MAX * PROFILE_DAY;
    }
    if ((time_t)days * PROFILE_DAY + seconds > most) {
        return lint_departs(e, "validity", "longer than the profile allows");
    }
    if (expected->issuer != NULL &&
        ASN1_TIME_compare(from, X509_get0_notBefore(expected->issuer)) < 0) {
        return lint_departs(e, "notBefore", "before the issuer's certificate begins");
    }
    /* An end after the issuer's own could not be validated by anybody. */
    if (expected->issuer != NULL &&
        ASN1_TIME_compare(until, X509_get0_notAfter(expected->issuer)) > 0) {
        return lint_departs(e, "notAfter", "past the end of the issuer's certificate");
    }
    return 0;
}

static int
check_key(const X509 *certificate, const struct tbs_request *expected, EVP_PKEY **key,
          struct err *e)
{
    CLEANUP(buf_free) struct buf found = BUF_INIT(PUBKEY_SPKI_MAX);

    if (OSSL_ENCODE(X509_PUBKEY, X509_get_X509_PUBKEY(certificate), &found, e) != 0 ||
        !span_equal(buf_span(&found), expected->spki)) {
        return lint_departs(e, "subjectPublicKeyInfo", "not the key that was decided");
    }
    /* OpenSSL parses no point that is off the curve; the other rules show in the octets. */
    *key = public_key_parse(buf_span(&found), e);
    if (*key == NULL) {
        return lint_departs(e, "subjectPublicKeyInfo", "not a valid key");
    }
    if (pubkey_check_spki(buf_span(&found), NULL, e) != 0) {
        e->code = ERR_DENIED;
        return err_wrap(e, "lint: subjectPublicKeyInfo");
    }
    return 0;
}

static int
check_unique_ids(const X509 *certificate, struct err *e)
{
    const ASN1_BIT_STRING *issuer;
    const ASN1_BIT_STRING *subject;

    X509_get0_uids(certificate, &issuer, &subject);
    /* RFC 5280 4.1.2.8: CAs MUST NOT generate these */
    return issuer == NULL && subject == NULL ? 0 : lint_departs(e, "uniqueID", "present");
}

int
lint_tbs(struct span tbs, const struct tbs_request *expected, struct err *e)
{
    CLEANUP(x509_cleanup) X509 *certificate = NULL;
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *key = NULL;

    if (tbs.n > TBS_MAX) {
        return lint_departs(e, "TBSCertificate", "too long");
    }
    if (profile_is_nf(expected->profile) != (expected->nf != NULL) ||
        (expected->nf == NULL && expected->subject == NULL) ||
        (expected->profile->class == PROFILE_ROOT) != (expected->issuer == NULL) ||
        (expected->issuer != NULL && expected->crl_url == NULL &&
         !expected->profile->no_rev_avail)) {
        return lint_departs(e, "request", "does not fit its profile");
    }
    certificate = wrap(tbs, e);
    if (certificate == NULL) {
        e->code = ERR_DENIED;
        return -1;
    }
    if (X509_get_version(certificate) != X509_VERSION_3) {
        return lint_departs(e, "version", "not 3");
    }
    if (check_der(certificate, tbs, e) != 0 || check_serial(certificate, expected, e) != 0 ||
        check_algorithm(certificate, expected, e) != 0 ||
        check_subject(certificate, expected, e) != 0 ||
        check_validity(certificate, expected, e) != 0 ||
        check_key(certificate, expected, &key, e) != 0 || check_unique_ids(certificate, e) != 0 ||
        lint_extensions(certificate, expected, e) != 0 ||
        lint_purpose(certificate, key, expected, e) != 0) {
        return -1;
    }
    return expected->nf == NULL ? 0 : lint_names(certificate, expected, e);
}
