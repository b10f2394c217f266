/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The expected value of every field and extension is encoded by OpenSSL from the request, and
 * compared octet for octet with what stands in the TBS: nothing of tbs.c or der.c's writer is used
 * for what is compared.
 */
#include "ca/x509/lint.h"

#include <openssl/err.h>
#include <string.h>

#include "ca/x509/der.h"
#include "ca/x509/pubkey.h"

enum { DAY = 24 * 60 * 60, VALUE_MAX = 8 * 1024, WRAP = 64 };

#define OID_NF_TYPES "1.3.6.1.5.5.7.1.34"

static int
departs(struct err *e, const char *field, const char *why)
{
    ERR_clear_error();
    return err_set(e, ERR_DENIED, "lint: %s: %s", field, why);
}

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
    const unsigned char *p;
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
    p = bytes.p;
    certificate = d2i_X509(NULL, &p, (long)bytes.n);
    if (certificate == NULL || p != bytes.p + bytes.n) {
        X509_free(certificate);
        (void)ossl_err(e, ERR_DENIED, "lint: TBSCertificate: does not parse");
        return NULL;
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
    return equal ? 0 : departs(e, "TBSCertificate", "encoding it again gives other octets");
}

static int
check_serial(const X509 *certificate, const struct tbs_request *expected, struct err *e)
{
    const ASN1_INTEGER *serial = X509_get0_serialNumber(certificate);

    if (ASN1_STRING_type(serial) != V_ASN1_INTEGER ||
        !span_equal(span_of(ASN1_STRING_get0_data(serial), (size_t)ASN1_STRING_length(serial)),
                    span_of(expected->serial, SERIAL_SIZE))) {
        return departs(e, "serialNumber", "not the one that was decided");
    }
    /* RFC 5280 4.1.2.2, and our form: 16 octets of which the first is 01xxxxxx */
    return serial_is_shaped(ASN1_STRING_get0_data(serial))
               ? 0
               : departs(e, "serialNumber", "not of the form 01xxxxxx");
}

static int
check_algorithm(const X509 *certificate, const struct tbs_request *expected, struct err *e)
{
    EVP_PKEY *key = X509_get0_pubkey(expected->issuer == NULL ? certificate : expected->issuer);
    CLEANUP(buf_free) struct buf found = BUF_INIT(WRAP);
    struct span identifier;

    if (key == NULL || pubkey_signature_algorithm(key, &identifier, NULL, e) != 0) {
        return departs(e, "signature", "the issuer's key has no algorithm of ours");
    }
    if (OSSL_ENCODE(X509_ALGOR, X509_get0_tbs_sigalg(certificate), &found, e) != 0 ||
        !span_equal(buf_span(&found), identifier)) {
        return departs(e, "signature", "not the one algorithm of the issuer's key");
    }
    return 0;
}

static int
check_name(const X509_NAME *found, X509_NAME *wanted, const char *field, struct err *e)
{
    struct span a;
    struct span b;

    if (name_der(found, &a, e) != 0 || name_der(wanted, &b, e) != 0 || !span_equal(a, b)) {
        return departs(e, field, "attributes, order, string types or values are others");
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
        return departs(e, "subject", "cannot be encoded");
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
    return equal ? 0 : departs(e, field, "not the time that was decided, or in another form");
}

static int
check_validity(const X509 *certificate, const struct tbs_request *expected, struct err *e)
{
    const ASN1_TIME *from = X509_get0_notBefore(certificate);
    const ASN1_TIME *until = X509_get0_notAfter(certificate);
    int most = expected->rehearsal ? REHEARSAL_DAYS_MAX : expected->profile->max_days;
    int days;
    int seconds;

    if (check_time(from, expected->not_before, "notBefore", e) != 0 ||
        check_time(until, expected->not_after, "notAfter", e) != 0) {
        return -1;
    }
    if (ASN1_TIME_diff(&days, &seconds, from, until) != 1 || days < 0 || seconds < 0 ||
        (days == 0 && seconds == 0)) {
        return departs(e, "validity", "notAfter is not after notBefore");
    }
    if (days > most || (days == most && seconds > 0)) {
        return departs(e, "validity", "longer than the profile allows");
    }
    /* An end after the issuer's own could not be validated by anybody. */
    if (expected->issuer != NULL &&
        ASN1_TIME_compare(until, X509_get0_notAfter(expected->issuer)) > 0) {
        return departs(e, "notAfter", "past the end of the issuer's certificate");
    }
    return 0;
}

static int
check_key(const X509 *certificate, const struct tbs_request *expected, struct err *e)
{
    CLEANUP(buf_free) struct buf found = BUF_INIT(PUBKEY_SPKI_MAX);
    EVP_PKEY *key = X509_get0_pubkey(certificate);

    if (OSSL_ENCODE(X509_PUBKEY, X509_get_X509_PUBKEY(certificate), &found, e) != 0 ||
        !span_equal(buf_span(&found), expected->spki)) {
        return departs(e, "subjectPublicKeyInfo", "not the key that was decided");
    }
    if (key == NULL) {
        return departs(e, "subjectPublicKeyInfo", "not a valid key");
    }
    return pubkey_check(key, NULL, e) == 0 ? 0 : err_wrap(e, "lint: subjectPublicKeyInfo");
}

/* ---- the expected extensions, each encoded by OpenSSL ---- */

typedef int encoder(const struct tbs_request *, const X509 *certificate, struct buf *out,
                    struct err *e);

static int
encode_nf_types(const struct tbs_request *expected, const X509 *certificate, struct buf *out,
                struct err *e)
{
    ASN1_SEQUENCE_ANY *list = sk_ASN1_TYPE_new_null();
    int result = list == NULL ? -1 : 0;

    (void)certificate;
    for (size_t i = 0; result == 0 && i < expected->nf->n_types; i++) {
        ASN1_TYPE *element = ASN1_TYPE_new();
        ASN1_IA5STRING *text = ASN1_IA5STRING_new();

        if (element == NULL || text == NULL ||
            ASN1_STRING_set(text, expected->nf->types[i], -1) != 1 ||
            sk_ASN1_TYPE_push(list, element) <= 0) {
            ASN1_TYPE_free(element);
            ASN1_IA5STRING_free(text);
            result = -1;
        } else {
            ASN1_TYPE_set(element, V_ASN1_IA5STRING, text);
        }
    }
    if (result == 0) {
        result = OSSL_ENCODE(ASN1_SEQUENCE_ANY, list, out, e);
    }
    sk_ASN1_TYPE_pop_free(list, ASN1_TYPE_free);
    return result;
}

static int
encode_basic_constraints(const struct tbs_request *expected, const X509 *certificate,
                         struct buf *out, struct err *e)
{
    BASIC_CONSTRAINTS *value = BASIC_CONSTRAINTS_new();
    int result = -1;

    (void)certificate;
    if (value != NULL) {
        value->ca = 0xff;
        if (expected->profile->class == PROFILE_ISSUING) {
            value->pathlen = ASN1_INTEGER_new(); /* zero */
        }
        result = OSSL_ENCODE(BASIC_CONSTRAINTS, value, out, e);
    }
    BASIC_CONSTRAINTS_free(value);
    return result;
}

static int
encode_key_usage(const struct tbs_request *expected, const X509 *certificate, struct buf *out,
                 struct err *e)
{
    ASN1_BIT_STRING *value = ASN1_BIT_STRING_new();
    int result = -1;

    (void)certificate;
    if (value != NULL) {
        bool ca = profile_is_ca(expected->profile);

        if (ASN1_BIT_STRING_set_bit(value, 0, ca ? 0 : 1) == 1 &&
            ASN1_BIT_STRING_set_bit(value, 5, ca ? 1 : 0) == 1 &&
            ASN1_BIT_STRING_set_bit(value, 6, ca ? 1 : 0) == 1) {
            result = OSSL_ENCODE(ASN1_BIT_STRING, value, out, e);
        }
    }
    ASN1_BIT_STRING_free(value);
    return result;
}

static int
encode_extended_key_usage(const struct tbs_request *expected, const X509 *certificate,
                          struct buf *out, struct err *e)
{
    EXTENDED_KEY_USAGE *value = sk_ASN1_OBJECT_new_null();
    int result = value == NULL ? -1 : 0;

    (void)certificate;
    for (size_t i = 0; i < PROFILE_EKU_MAX && expected->profile->eku[i] != NULL; i++) {
        ASN1_OBJECT *purpose = OBJ_txt2obj(expected->profile->eku[i], 1);

        if (purpose == NULL || sk_ASN1_OBJECT_push(value, purpose) <= 0) {
            ASN1_OBJECT_free(purpose);
            result = -1;
        }
    }
    if (result == 0) {
        result = OSSL_ENCODE(EXTENDED_KEY_USAGE, value, out, e);
    }
    EXTENDED_KEY_USAGE_free(value);
    return result;
}

/* Method (1) over the key as OpenSSL parsed it. */
static int
own_key_id(const X509 *certificate, ASN1_OCTET_STRING **out)
{
    const ASN1_BIT_STRING *bits = X509_get0_pubkey_bitstr(certificate);
    unsigned char digest[SKI_SIZE];

    *out = ASN1_OCTET_STRING_new();
    if (*out == NULL || bits == NULL ||
        EVP_Digest(ASN1_STRING_get0_data(bits), (size_t)ASN1_STRING_length(bits), digest, NULL,
                   EVP_sha1(), NULL) != 1 ||
        ASN1_OCTET_STRING_set(*out, digest, sizeof(digest)) != 1) {
        return -1;
    }
    return 0;
}

static int
encode_subject_key_id(const struct tbs_request *expected, const X509 *certificate, struct buf *out,
                      struct err *e)
{
    CLEANUP(asn1_octet_string_cleanup) ASN1_OCTET_STRING *value = NULL;

    (void)expected;
    if (own_key_id(certificate, &value) != 0) {
        return -1;
    }
    return OSSL_ENCODE(ASN1_OCTET_STRING, value, out, e);
}

static int
encode_authority_key_id(const struct tbs_request *expected, const X509 *certificate,
                        struct buf *out, struct err *e)
{
    AUTHORITY_KEYID *value = AUTHORITY_KEYID_new();
    int result = -1;

    if (value != NULL && expected->issuer == NULL) {
        result = own_key_id(certificate, &value->keyid);
    } else if (value != NULL) {
        value->keyid = ASN1_OCTET_STRING_dup(X509_get0_subject_key_id(expected->issuer));
        result = value->keyid == NULL ? -1 : 0;
    }
    if (result == 0) {
        result = OSSL_ENCODE(AUTHORITY_KEYID, value, out, e);
    }
    AUTHORITY_KEYID_free(value);
    return result;
}

static int
name_push(GENERAL_NAMES *names, int type, const char *text)
{
    GENERAL_NAME *name = GENERAL_NAME_new();
    ASN1_IA5STRING *value = ASN1_IA5STRING_new();

    if (name == NULL || value == NULL || ASN1_STRING_set(value, text, -1) != 1 ||
        sk_GENERAL_NAME_push(names, name) <= 0) {
        GENERAL_NAME_free(name);
        ASN1_IA5STRING_free(value);
        return -1;
    }
    GENERAL_NAME_set0_value(name, type, value);
    return 0;
}

static int
encode_crl_url(const struct tbs_request *expected, const X509 *certificate, struct buf *out,
               struct err *e)
{
    CRL_DIST_POINTS *value = sk_DIST_POINT_new_null();
    DIST_POINT *point = DIST_POINT_new();
    int result = -1;

    (void)certificate;
    if (value != NULL && point != NULL && sk_DIST_POINT_push(value, point) > 0) {
        point->distpoint = DIST_POINT_NAME_new();
        if (point->distpoint != NULL) {
            point->distpoint->type = 0;
            point->distpoint->name.fullname = sk_GENERAL_NAME_new_null();
            result = name_push(point->distpoint->name.fullname, GEN_URI, expected->crl_url);
        }
    } else {
        DIST_POINT_free(point);
    }
    if (result == 0) {
        result = OSSL_ENCODE(CRL_DIST_POINTS, value, out, e);
    }
    CRL_DIST_POINTS_free(value);
    return result;
}

static int
encode_subject_alt_name(const struct tbs_request *expected, const X509 *certificate,
                        struct buf *out, struct err *e)
{
    CLEANUP(general_names_cleanup) GENERAL_NAMES *value = sk_GENERAL_NAME_new_null();
    CLEANUP(mem_cleanup) char *urn = mem_printf("urn:uuid:%s", expected->nf->instance_id);

    (void)certificate;
    for (size_t i = 0; i < expected->nf->n_fqdns; i++) {
        if (name_push(value, GEN_DNS, expected->nf->fqdns[i]) != 0) {
            return -1;
        }
    }
    if (name_push(value, GEN_URI, urn) != 0) {
        return -1;
    }
    return OSSL_ENCODE(GENERAL_NAMES, value, out, e);
}

/* ---- */

static bool
always(const struct tbs_request *expected)
{
    (void)expected;
    return true;
}

static bool
of_nf(const struct tbs_request *expected)
{
    return expected->profile->class == PROFILE_NF;
}

static bool
of_ca(const struct tbs_request *expected)
{
    return profile_is_ca(expected->profile);
}

static bool
of_end_entity(const struct tbs_request *expected)
{
    return !of_ca(expected);
}

static bool
not_root(const struct tbs_request *expected)
{
    return expected->profile->class != PROFILE_ROOT;
}

static const struct {
    const char *field;
    const char *oid;
    bool critical;
    bool (*belongs)(const struct tbs_request *);
    encoder *encode;
} extensions[] = {
    {"nfTypes", OID_NF_TYPES, false, of_nf, encode_nf_types}, /* RFC 9310 3: MUST NOT be critical */
    {"basicConstraints", "2.5.29.19", true, of_ca, encode_basic_constraints},
    {"keyUsage", "2.5.29.15", true, always, encode_key_usage},
    {"extKeyUsage", "2.5.29.37", false, of_end_entity, encode_extended_key_usage},
    {"subjectKeyIdentifier", "2.5.29.14", false, always, encode_subject_key_id},
    {"authorityKeyIdentifier", "2.5.29.35", false, always, encode_authority_key_id},
    {"cRLDistributionPoints", "2.5.29.31", false, not_root, encode_crl_url},
    {"subjectAltName", "2.5.29.17", true, of_nf, encode_subject_alt_name},
};

static int
check_extension(X509 *certificate, const struct tbs_request *expected, size_t i, struct err *e)
{
    CLEANUP(buf_free) struct buf wanted = BUF_INIT(VALUE_MAX);
    const char *field = extensions[i].field;
    ASN1_OBJECT *oid = OBJ_txt2obj(extensions[i].oid, 1);
    int at = oid == NULL ? -1 : X509_get_ext_by_OBJ(certificate, oid, -1);
    bool twice = at >= 0 && X509_get_ext_by_OBJ(certificate, oid, at) >= 0;
    X509_EXTENSION *extension;
    const ASN1_OCTET_STRING *value;

    ASN1_OBJECT_free(oid);
    if (at < 0) {
        return departs(e, field, "missing");
    }
    if (twice) {
        return departs(e, field, "stands there twice");
    }
    extension = X509_get_ext(certificate, at);
    if ((X509_EXTENSION_get_critical(extension) != 0) != extensions[i].critical) {
        return departs(e, field, extensions[i].critical ? "not critical" : "critical");
    }
    if (extensions[i].encode(expected, certificate, &wanted, e) != 0) {
        return departs(e, field, "the expected value cannot be encoded");
    }
    value = X509_EXTENSION_get_data(extension);
    if (!span_equal(buf_span(&wanted),
                    span_of(ASN1_STRING_get0_data(value), (size_t)ASN1_STRING_length(value)))) {
        return departs(e, field, "not the value of profile and request");
    }
    return 0;
}

static int
check_extensions(X509 *certificate, const struct tbs_request *expected, struct err *e)
{
    int count = 0;

    for (size_t i = 0; i < ARRAY_LEN(extensions); i++) {
        if (extensions[i].belongs(expected)) {
            if (check_extension(certificate, expected, i, e) != 0) {
                return -1;
            }
            count++;
        }
    }
    /* All that belong are there, each once: any more is one that does not belong. */
    return X509_get_ext_count(certificate) == count
               ? 0
               : departs(e, "extensions", "one that the profile does not have");
}

static int
check_unique_ids(const X509 *certificate, struct err *e)
{
    const ASN1_BIT_STRING *issuer;
    const ASN1_BIT_STRING *subject;

    X509_get0_uids(certificate, &issuer, &subject);
    /* RFC 5280 4.1.2.8: CAs MUST NOT generate these */
    return issuer == NULL && subject == NULL ? 0 : departs(e, "uniqueID", "present");
}

int
lint_tbs(struct span tbs, const struct tbs_request *expected, struct err *e)
{
    CLEANUP(x509_cleanup) X509 *certificate = NULL;

    if (tbs.n > TBS_MAX) {
        return departs(e, "TBSCertificate", "too long");
    }
    if (profile_is_nf(expected->profile) != (expected->nf != NULL) ||
        (expected->nf == NULL && expected->subject == NULL) ||
        (expected->profile->class == PROFILE_ROOT) != (expected->issuer == NULL) ||
        (expected->issuer != NULL && expected->crl_url == NULL)) {
        return departs(e, "request", "does not fit its profile");
    }
    certificate = wrap(tbs, e);
    if (certificate == NULL) {
        e->code = ERR_DENIED;
        return -1;
    }
    if (X509_get_version(certificate) != X509_VERSION_3) {
        return departs(e, "version", "not 3");
    }
    if (check_der(certificate, tbs, e) != 0 || check_serial(certificate, expected, e) != 0 ||
        check_algorithm(certificate, expected, e) != 0 ||
        check_subject(certificate, expected, e) != 0 ||
        check_validity(certificate, expected, e) != 0 || check_key(certificate, expected, e) != 0 ||
        check_unique_ids(certificate, e) != 0 || check_extensions(certificate, expected, e) != 0) {
        return -1;
    }
    return 0;
}
