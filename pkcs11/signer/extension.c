/* SPDX-License-Identifier: Apache-2.0 */
#include "pkcs11/signer/extension.h"

#include <openssl/x509v3.h>
#include <string.h>

#include "base/ossl.h"
#include "pkcs11/signer/der.h"

enum { NF_TYPE_MAX = 32, TAG_IA5 = 0x16 };

DEFINE_CLEANUP(points_cleanup, CRL_DIST_POINTS, CRL_DIST_POINTS_free)
DEFINE_CLEANUP(access_cleanup, AUTHORITY_INFO_ACCESS, AUTHORITY_INFO_ACCESS_free)

/* RFC 9310 4.1 and RFC 9608 2, which OpenSSL 3.0 does not know. */
static const uint8_t NF_TYPES[] = {0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x01, 0x22};
static const uint8_t NO_REV_AVAIL[] = {0x55, 0x1d, 0x38};

static struct span
string_span(const ASN1_STRING *s)
{
    return span_of(ASN1_STRING_get0_data(s), (size_t)ASN1_STRING_length(s));
}

static bool
has_oid(X509_EXTENSION *x, struct span oid)
{
    const ASN1_OBJECT *object = X509_EXTENSION_get_object(x);

    return span_equal(span_of(OBJ_get0_data(object), OBJ_length(object)), oid);
}

/* ---- one extension ---- */

/* What OpenSSL understood must be all that is there. */
static int
check_again(X509_EXTENSION *x, const char *name, struct err *e)
{
    const X509V3_EXT_METHOD *method = X509V3_EXT_get(x);
    const struct span octets = string_span(X509_EXTENSION_get_data(x));
    ASN1_VALUE *value = X509V3_EXT_d2i(x);
    unsigned char *again = NULL;
    bool same;
    int n;

    if (value == NULL) {
        return ossl_err(e, ERR_INPUT, "%s cannot be decoded", name);
    }
    n = ASN1_item_i2d(value, &again, ASN1_ITEM_ptr(method->it));
    same = n > 0 && span_equal(span_of(again, (size_t)n), octets);
    OPENSSL_free(again);
    ASN1_item_free(value, ASN1_ITEM_ptr(method->it));
    return same ? 0 : err_set(e, ERR_INPUT, "%s does not encode to the same octets again", name);
}

/* NFTypes ::= SEQUENCE SIZE (1..MAX) OF IA5String (SIZE (1..32)) */
static int
check_nf_types(X509_EXTENSION *x, struct err *e)
{
    struct span in = string_span(X509_EXTENSION_get_data(x));
    struct der list;
    struct der type;

    if (object_der_expect(&in, DER_SEQUENCE, "NFTypes", &list, e) != 0) {
        return -1;
    }
    if (in.n != 0 || list.content.n == 0) {
        return err_set(e, ERR_INPUT, "NFTypes: empty, or octets behind it");
    }
    while (list.content.n > 0) {
        if (object_der_expect(&list.content, TAG_IA5, "NFType", &type, e) != 0) {
            return -1;
        }
        if (type.content.n == 0 || type.content.n > NF_TYPE_MAX) {
            return err_set(e, ERR_DENIED, "NFType: %zu characters, allowed are 1 to %d",
                           type.content.n, NF_TYPE_MAX);
        }
        for (size_t i = 0; i < type.content.n; i++) {
            if (type.content.p[i] <= ' ' || type.content.p[i] > '~') {
                return err_set(e, ERR_DENIED, "NFType: a character that is not printable");
            }
        }
    }
    return 0;
}

struct known {
    int nid;
    const char *name;
};

/* Those that the CA issues, and whose every octet the library decodes. */
static const struct known IN_CERTIFICATE[] = {
    {NID_subject_key_identifier, "subjectKeyIdentifier"},
    {NID_authority_key_identifier, "authorityKeyIdentifier"},
    {NID_key_usage, "keyUsage"},
    {NID_basic_constraints, "basicConstraints"},
    {NID_ext_key_usage, "extendedKeyUsage"},
    {NID_certificate_policies, "certificatePolicies"},
    {NID_subject_alt_name, "subjectAltName"},
    {NID_crl_distribution_points, "cRLDistributionPoints"},
    {NID_info_access, "authorityInfoAccess"},
};
static const struct known IN_CRL[] = {
    {NID_authority_key_identifier, "authorityKeyIdentifier"},
    {NID_crl_number, "cRLNumber"},
};
static const struct known IN_ENTRY[] = {
    {NID_crl_reason, "reasonCode"},
};

static int
check_known(X509_EXTENSION *x, const struct known *known, size_t n, struct err *e)
{
    const int nid = OBJ_obj2nid(X509_EXTENSION_get_object(x));
    char dotted[128];

    for (size_t i = 0; i < n; i++) {
        if (known[i].nid == nid) {
            return check_again(x, known[i].name, e);
        }
    }
    (void)OBJ_obj2txt(dotted, sizeof(dotted), X509_EXTENSION_get_object(x), 1);
    return err_set(e, ERR_DENIED, "an extension that this signer does not know: %.100s", dotted);
}

/* ---- names ---- */

static bool
is_printable(const ASN1_STRING *s)
{
    const struct span text = string_span(s);

    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] <= ' ' || text.p[i] > '~') {
            return false;
        }
    }
    return text.n > 0;
}

/* The kinds that the CA issues: text, of which every octet is seen. */
static int
check_general_name(const GENERAL_NAME *name, bool uri_only, const char *where, struct err *e)
{
    if (name->type != GEN_URI && (uri_only || name->type != GEN_DNS)) {
        return err_set(e, ERR_DENIED, "%s has a name that is no %s", where,
                       uri_only ? "URI" : "dNSName or URI");
    }
    return is_printable(name->d.ia5)
               ? 0
               : err_set(e, ERR_DENIED, "%s has a name with other than printable characters",
                         where);
}

static int
check_general_names(const GENERAL_NAMES *names, bool uri_only, const char *where, struct err *e)
{
    for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
        if (check_general_name(sk_GENERAL_NAME_value(names, i), uri_only, where, e) != 0) {
            return -1;
        }
    }
    return sk_GENERAL_NAME_num(names) > 0 ? 0 : err_set(e, ERR_DENIED, "%s has no name", where);
}

/* It was decoded before, but memory may be short by now. */
static int
check_absent(bool unread, const char *name, struct err *e)
{
    return unread ? ossl_err(e, ERR_INPUT, "%s cannot be decoded", name) : 0;
}

static int
check_alt_names(const X509 *x, struct err *e)
{
    static const char where[] = "subjectAltName";
    bool unread;
    CLEANUP(general_names_cleanup)
    GENERAL_NAMES *names = certificate_extension(x, NID_subject_alt_name, &unread);

    if (names == NULL) {
        return check_absent(unread, where, e);
    }
    return check_general_names(names, false, where, e);
}

/* Whole CRLs of this issuer, at URIs (RFC 5280 4.2.1.13). */
static int
check_points(const X509 *x, struct err *e)
{
    static const char where[] = "cRLDistributionPoints";
    bool unread;
    CLEANUP(points_cleanup)
    CRL_DIST_POINTS *points = certificate_extension(x, NID_crl_distribution_points, &unread);

    if (points == NULL) {
        return check_absent(unread, where, e);
    }
    for (int i = 0; i < sk_DIST_POINT_num(points); i++) {
        const DIST_POINT *point = sk_DIST_POINT_value(points, i);

        if (point->reasons != NULL || point->CRLissuer != NULL || point->distpoint == NULL ||
            point->distpoint->type != 0) {
            return err_set(e, ERR_DENIED, "%s has more than a fullName, or none", where);
        }
        if (check_general_names(point->distpoint->name.fullname, true, where, e) != 0) {
            return -1;
        }
    }
    return 0;
}

static int
check_access(const X509 *x, struct err *e)
{
    static const char where[] = "authorityInfoAccess";
    bool unread;
    CLEANUP(access_cleanup)
    AUTHORITY_INFO_ACCESS *list = certificate_extension(x, NID_info_access, &unread);

    if (list == NULL) {
        return check_absent(unread, where, e);
    }
    for (int i = 0; i < sk_ACCESS_DESCRIPTION_num(list); i++) {
        if (check_general_name(sk_ACCESS_DESCRIPTION_value(list, i)->location, true, where, e) !=
            0) {
            return -1;
        }
    }
    return 0;
}

int
extension_check_name(const X509_NAME *name, struct err *e)
{
    for (int i = 0; i < X509_NAME_entry_count(name); i++) {
        const ASN1_STRING *value = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, i));
        const int type = ASN1_STRING_type(value);
        unsigned char *utf8 = NULL;
        int n;

        if (type != V_ASN1_UTF8STRING && type != V_ASN1_PRINTABLESTRING &&
            type != V_ASN1_IA5STRING) {
            return err_set(e, ERR_DENIED,
                           "the subject has an attribute of type %d, which is none "
                           "that the CA uses",
                           type);
        }
        n = ASN1_STRING_to_UTF8(&utf8, value); /* it must be some */
        for (int k = 0; k < n; k++) {
            if (utf8[k] < ' ' || utf8[k] == 0x7f) {
                n = 0;
            }
        }
        OPENSSL_free(utf8);
        if (n <= 0) {
            return ossl_err(e, ERR_DENIED, "the subject has an attribute that is no text");
        }
    }
    return 0;
}

/* ---- all of them ---- */

int
extension_check_certificate(const X509 *x, struct err *e)
{
    for (int i = 0; i < X509_get_ext_count(x); i++) {
        X509_EXTENSION *extension = X509_get_ext(x, i);
        int result;

        if (has_oid(extension, span_of(NO_REV_AVAIL, sizeof(NO_REV_AVAIL)))) {
            continue; /* purpose.c: it is NULL */
        }
        result = has_oid(extension, span_of(NF_TYPES, sizeof(NF_TYPES)))
                     ? check_nf_types(extension, e)
                     : check_known(extension, IN_CERTIFICATE, ARRAY_LEN(IN_CERTIFICATE), e);
        if (result != 0) {
            return -1;
        }
    }
    return extension_check_name(X509_get_subject_name(x), e) != 0 || check_alt_names(x, e) != 0 ||
                   check_points(x, e) != 0 || check_access(x, e) != 0
               ? -1
               : 0;
}

int
extension_check_crl(X509_CRL *crl, struct err *e)
{
    STACK_OF(X509_REVOKED) *revoked = X509_CRL_get_REVOKED(crl);

    for (int i = 0; i < X509_CRL_get_ext_count(crl); i++) {
        if (check_known(X509_CRL_get_ext(crl, i), IN_CRL, ARRAY_LEN(IN_CRL), e) != 0) {
            return -1;
        }
    }
    for (int i = 0; i < sk_X509_REVOKED_num(revoked); i++) {
        const X509_REVOKED *entry = sk_X509_REVOKED_value(revoked, i);

        for (int k = 0; k < X509_REVOKED_get_ext_count(entry); k++) {
            if (check_known(X509_REVOKED_get_ext(entry, k), IN_ENTRY, ARRAY_LEN(IN_ENTRY), e) !=
                0) {
                return err_wrap(e, "entry %d", i);
            }
        }
    }
    return 0;
}
