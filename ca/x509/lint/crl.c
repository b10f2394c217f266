/* SPDX-License-Identifier: Apache-2.0 */
/* The half of tbs/crl.h that judges: OpenSSL's parser and encoder against the octets of tbs/crl.c.
 */
#include <openssl/err.h>

#include "ca/x509/der.h"
#include "ca/x509/name.h"
#include "ca/x509/profile/profile.h"
#include "ca/x509/pubkey.h"
#include "ca/x509/tbs/crl.h"

enum { DAY = 24 * 60 * 60, WRAP = 64 };

static int
departs(struct err *e, const char *field, const char *why)
{
    ERR_clear_error();
    return err_set(e, ERR_DENIED, "lint: %s: %s", field, why);
}

static X509_CRL *
wrap(struct span tbs, struct err *e)
{
    CLEANUP(buf_free) struct buf bytes = BUF_INIT(CRL_TBS_MAX + WRAP);
    struct der w = DER_WRITER(&bytes, e);
    struct span in = tbs;
    struct span body;
    struct span content;
    struct span algorithm = {0};
    uint8_t tag;
    const unsigned char *p;
    X509_CRL *crl;

    if (der_expect(&in, DER_SEQUENCE, "lint: TBSCertList", &body, e) != 0 ||
        der_take(&body, &tag, &content, &algorithm, e) != 0 ||
        der_take(&body, &tag, &content, &algorithm, e) != 0) {
        return NULL;
    }
    der_begin(&w, DER_SEQUENCE);
    der_put_raw(&w, tbs);
    der_put_raw(&w, algorithm);
    der_put(&w, DER_BIT_STRING, SPAN_LITERAL("\0"));
    der_end(&w);
    if (der_finish(&w) != 0) {
        return NULL;
    }
    p = bytes.p;
    crl = d2i_X509_CRL(NULL, &p, (long)bytes.n);
    if (crl == NULL || p != bytes.p + bytes.n) {
        X509_CRL_free(crl);
        (void)ossl_err(e, ERR_DENIED, "lint: TBSCertList: does not parse");
        return NULL;
    }
    return crl;
}

static bool
time_equals(const ASN1_TIME *found, time_t wanted)
{
    ASN1_TIME *again = ASN1_TIME_set(NULL, wanted);
    bool equal = found != NULL && again != NULL && ASN1_STRING_cmp(found, again) == 0;

    ASN1_TIME_free(again);
    return equal;
}

static int
check_head(X509_CRL *crl, const struct crl_request *expected, struct err *e)
{
    CLEANUP(buf_free) struct buf algorithm = BUF_INIT(WRAP);
    const X509_ALGOR *outer;
    struct span wanted;
    struct span issuer;
    struct span found;

    if (X509_CRL_get_version(crl) != X509_CRL_VERSION_2) {
        return departs(e, "version", "not 2");
    }
    X509_CRL_get0_signature(crl, NULL, &outer);
    if (pubkey_signature_algorithm(X509_get0_pubkey(expected->issuer), &wanted, NULL, e) != 0 ||
        OSSL_ENCODE(X509_ALGOR, outer, &algorithm, e) != 0 ||
        !span_equal(buf_span(&algorithm), wanted)) {
        return departs(e, "signature", "not the one algorithm of the issuer's key");
    }
    if (name_der(X509_get_subject_name(expected->issuer), &issuer, e) != 0 ||
        name_der(X509_CRL_get_issuer(crl), &found, e) != 0 || !span_equal(issuer, found)) {
        return departs(e, "issuer", "not the name of the issuer");
    }
    if (!time_equals(X509_CRL_get0_lastUpdate(crl), expected->this_update)) {
        return departs(e, "thisUpdate", "not the time that was decided");
    }
    if (!time_equals(X509_CRL_get0_nextUpdate(crl), expected->next_update) ||
        expected->next_update <= expected->this_update ||
        (expected->rehearsal &&
         expected->next_update - expected->this_update > (time_t)REHEARSAL_DAYS_MAX * DAY)) {
        return departs(e, "nextUpdate", "not the time that was decided, or too far away");
    }
    return 0;
}

static int
check_extensions(X509_CRL *crl, const struct crl_request *expected, struct err *e)
{
    AUTHORITY_KEYID *authority;
    CLEANUP(asn1_integer_cleanup) ASN1_INTEGER *number = NULL;
    uint64_t value = 0;
    int critical = -1;
    bool equal;

    number = X509_CRL_get_ext_d2i(crl, NID_crl_number, &critical, NULL);
    if (number == NULL || critical != 0 || ASN1_INTEGER_get_uint64(&value, number) != 1 ||
        value != expected->number || value == 0) {
        return departs(e, "cRLNumber", "missing, critical, or not the number that was decided");
    }
    authority = X509_CRL_get_ext_d2i(crl, NID_authority_key_identifier, &critical, NULL);
    equal =
        authority != NULL && critical == 0 && authority->issuer == NULL &&
        authority->serial == NULL && authority->keyid != NULL &&
        X509_get0_subject_key_id(expected->issuer) != NULL &&
        ASN1_OCTET_STRING_cmp(authority->keyid, X509_get0_subject_key_id(expected->issuer)) == 0;
    AUTHORITY_KEYID_free(authority);
    if (!equal) {
        return departs(e, "authorityKeyIdentifier", "missing, critical, or not the issuer's");
    }
    return X509_CRL_get_ext_count(crl) == 2 ? 0
                                            : departs(e, "crlExtensions", "one that is not ours");
}

static bool
reason_equals(const X509_REVOKED *revoked, enum crl_reason wanted)
{
    int critical = -1;
    ASN1_ENUMERATED *found = X509_REVOKED_get_ext_d2i(revoked, NID_crl_reason, &critical, NULL);
    int count = X509_REVOKED_get_ext_count(revoked);
    bool equal;

    if (wanted == CRL_UNSPECIFIED) {
        equal = found == NULL && count == 0;
    } else {
        equal = found != NULL && critical == 0 && count == 1 &&
                ASN1_ENUMERATED_get(found) == (long)wanted;
    }
    ASN1_ENUMERATED_free(found);
    return equal;
}

static int
check_entries(X509_CRL *crl, const struct crl_request *expected, struct err *e)
{
    STACK_OF(X509_REVOKED) *list = X509_CRL_get_REVOKED(crl);
    int count = list == NULL ? 0 : sk_X509_REVOKED_num(list);

    if ((size_t)count != expected->n_entries) {
        return departs(e, "revokedCertificates", "another number of entries");
    }
    if (list != NULL && count == 0) {
        return departs(e, "revokedCertificates", "present without entries"); /* RFC 5280 5.1.2.6 */
    }
    for (int i = 0; i < count; i++) {
        const struct crl_entry *entry = &expected->entries[i];
        const X509_REVOKED *revoked = sk_X509_REVOKED_value(list, i);
        const ASN1_INTEGER *serial = X509_REVOKED_get0_serialNumber(revoked);

        if (ASN1_STRING_type(serial) != V_ASN1_INTEGER ||
            !span_equal(span_of(ASN1_STRING_get0_data(serial), (size_t)ASN1_STRING_length(serial)),
                        span_of(entry->serial, entry->serial_size)) ||
            !time_equals(X509_REVOKED_get0_revocationDate(revoked), entry->revoked_at) ||
            !reason_equals(revoked, entry->reason)) {
            return err_set(e, ERR_DENIED,
                           "lint: revokedCertificates[%d]: serial, date or reason departs", i);
        }
    }
    return 0;
}

int
crl_lint(struct span tbs, const struct crl_request *expected, struct err *e)
{
    CLEANUP(x509_crl_cleanup) X509_CRL *crl = NULL;
    unsigned char *again = NULL;
    bool equal;
    int n;

    if (tbs.n > CRL_TBS_MAX) {
        return departs(e, "TBSCertList", "too long");
    }
    crl = wrap(tbs, e);
    if (crl == NULL) {
        e->code = ERR_DENIED;
        return -1;
    }
    if (check_head(crl, expected, e) != 0 || check_extensions(crl, expected, e) != 0 ||
        check_entries(crl, expected, e) != 0) {
        return -1;
    }
    n = i2d_re_X509_CRL_tbs(crl, &again);
    equal = n > 0 && span_equal(span_of(again, (size_t)n), tbs);
    OPENSSL_free(again);
    return equal ? 0 : departs(e, "TBSCertList", "encoding it again gives other octets");
}
