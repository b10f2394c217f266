/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/cmp/message/asked.h"

#include "base/ossl.h"
#include "ca/cmp/message/asn1.h"
#include "ca/cmp/message/der.h"
#include "ca/cmp/message/field.h"
#include "ca/x509/alt_names.h"
#include "ca/x509/name.h"
#include "ca/x509/profile/ignored.h"

DEFINE_CLEANUP(basic_cleanup, BASIC_CONSTRAINTS, BASIC_CONSTRAINTS_free)
DEFINE_CLEANUP(bits_cleanup, ASN1_BIT_STRING, ASN1_BIT_STRING_free)
DEFINE_CLEANUP(purposes_cleanup, EXTENDED_KEY_USAGE, EXTENDED_KEY_USAGE_free)
DEFINE_CLEANUP(template_cleanup, CMP_TEMPLATE, CMP_TEMPLATE_free)

static bool
is_named(const X509_NAME *name)
{
    return name != NULL && X509_NAME_entry_count(name) > 0; /* the NULL-DN asks for nothing */
}

static bool
same_name(const X509_NAME *asked, const X509_NAME *given)
{
    return !is_named(asked) || name_equal_as_set(asked, given);
}

static bool
same_subject(const X509_NAME *asked, const X509_NAME *given, unsigned ignored)
{
    CLEANUP(x509_name_cleanup) X509_NAME *rest = NULL;

    if (asked == NULL || ignored == 0) {
        return same_name(asked, given);
    }
    rest = ignored_leave_out(ignored, asked, given);
    return rest != NULL && same_name(rest, given);
}

static bool
same_time(const ASN1_TIME *asked, const ASN1_TIME *given)
{
    return asked == NULL || ASN1_TIME_compare(asked, given) == 0;
}

static bool
same_validity(const CMP_VALIDITY *asked, const X509 *given)
{
    return asked == NULL || (same_time(asked->not_before, X509_get0_notBefore(given)) &&
                             same_time(asked->not_after, X509_get0_notAfter(given)));
}

/* ---- extensions ---- */

static bool
same_alt_names(X509_EXTENSION *asked, const X509 *given)
{
    CLEANUP(general_names_cleanup) GENERAL_NAMES *wanted = X509V3_EXT_d2i(asked);
    CLEANUP(general_names_cleanup)
    GENERAL_NAMES *have = X509_get_ext_d2i(given, NID_subject_alt_name, NULL, NULL);

    return wanted != NULL && have != NULL && alt_names_equal(wanted, have);
}

static bool
has_purposes_of(const EXTENDED_KEY_USAGE *purposes, const EXTENDED_KEY_USAGE *others)
{
    for (int i = 0; i < sk_ASN1_OBJECT_num(others); i++) {
        bool found = false;

        for (int k = 0; !found && k < sk_ASN1_OBJECT_num(purposes); k++) {
            found =
                OBJ_cmp(sk_ASN1_OBJECT_value(purposes, k), sk_ASN1_OBJECT_value(others, i)) == 0;
        }
        if (!found) {
            return false;
        }
    }
    return true;
}

static bool
same_purposes(X509_EXTENSION *asked, const X509 *given)
{
    CLEANUP(purposes_cleanup) EXTENDED_KEY_USAGE *wanted = X509V3_EXT_d2i(asked);
    CLEANUP(purposes_cleanup)
    EXTENDED_KEY_USAGE *have = X509_get_ext_d2i(given, NID_ext_key_usage, NULL, NULL);

    return wanted != NULL && have != NULL && has_purposes_of(wanted, have) &&
           has_purposes_of(have, wanted);
}

static bool
same_usage(X509_EXTENSION *asked, const X509 *given)
{
    enum { BITS = 9 }; /* RFC 5280 4.2.1.3 */
    CLEANUP(bits_cleanup) ASN1_BIT_STRING *wanted = X509V3_EXT_d2i(asked);
    CLEANUP(bits_cleanup)
    ASN1_BIT_STRING *have = X509_get_ext_d2i(given, NID_key_usage, NULL, NULL);
    bool same = wanted != NULL && have != NULL;

    for (int bit = 0; same && bit < BITS; bit++) {
        same = ASN1_BIT_STRING_get_bit(wanted, bit) == ASN1_BIT_STRING_get_bit(have, bit);
    }
    return same;
}

static bool
has_same_octets(X509_EXTENSION *asked, const X509 *given)
{
    int at = X509_get_ext_by_OBJ(given, X509_EXTENSION_get_object(asked), -1);

    return at >= 0 && ASN1_OCTET_STRING_cmp(X509_EXTENSION_get_data(X509_get_ext(given, at)),
                                            X509_EXTENSION_get_data(asked)) == 0;
}

static bool
is_no_ca_either(X509_EXTENSION *asked, const X509 *given)
{
    CLEANUP(basic_cleanup) BASIC_CONSTRAINTS *wanted = X509V3_EXT_d2i(asked);

    return (wanted != NULL && wanted->ca == 0 && wanted->pathlen == NULL &&
            !ossl_has_extension(X509_get0_extensions(given), NID_basic_constraints)) ||
           has_same_octets(asked, given);
}

static bool
has_extension(const X509 *given, X509_EXTENSION *asked)
{
    switch (OBJ_obj2nid(X509_EXTENSION_get_object(asked))) {
    case NID_subject_alt_name:
        return same_alt_names(asked, given);
    case NID_ext_key_usage:
        return same_purposes(asked, given);
    case NID_key_usage:
        return same_usage(asked, given);
    case NID_basic_constraints:
        return is_no_ca_either(asked, given);
    default:
        return has_same_octets(asked, given);
    }
}

/* ---- names ---- */

/* RFC 5280 4.1: version, serialNumber, signature, issuer, validity, subject; each whole. */
static bool
find_names(struct span certificate, struct der *issuer, struct der *subject)
{
    struct der outer;
    struct der tbs;
    struct der passed;

    return der_only(certificate, DER_SEQUENCE, &outer) && der_next(&outer.content, &tbs) &&
           der_next(&tbs.content, &passed) && der_next(&tbs.content, &passed) &&
           der_next(&tbs.content, &passed) && der_next(&tbs.content, issuer) &&
           der_next(&tbs.content, &passed) && der_next(&tbs.content, subject);
}

static int
compare_name(const X509_NAME *asked, struct span der, unsigned ignored, bool *same, struct err *e)
{
    CLEANUP(x509_name_cleanup) X509_NAME *given = NULL;

    *same = !is_named(asked);
    if (*same) {
        return 0;
    }
    given = field_decode(ASN1_ITEM_rptr(X509_NAME), der, "name in a certificate", e);
    if (given == NULL) {
        return -1;
    }
    *same = same_subject(asked, given, ignored);
    return 0;
}

/* Many a client asks for another name than it gets: then nothing else is decoded. */
static int
compare_names(struct span certificate, const CMP_TEMPLATE *t, unsigned ignored, bool *same,
              struct err *e)
{
    struct der issuer;
    struct der subject;

    *same = false;
    if (!find_names(certificate, &issuer, &subject)) {
        return err_set(e, ERR_INPUT, "not an X.509 certificate in DER");
    }
    if (compare_name(t->issuer, issuer.whole, 0, same, e) != 0) {
        return -1;
    }
    return *same ? compare_name(t->subject, subject.whole, ignored, same, e) : 0;
}

/* ---- the whole ---- */

int
cmp_asked_is_granted(struct span asked, struct span der, unsigned ignored, bool *granted,
                     struct err *e)
{
    CLEANUP(x509_cleanup) X509 *certificate = NULL;
    CLEANUP(template_cleanup) CMP_TEMPLATE *t = NULL;

    *granted = asked.n == 0;
    if (*granted) {
        return 0;
    }
    t = field_decode(ASN1_ITEM_rptr(CMP_TEMPLATE), asked, "what was asked for", e);
    if (t == NULL) {
        return -1;
    }
    if (compare_names(der, t, ignored, granted, e) != 0) {
        return -1;
    }
    if (!*granted || (t->validity == NULL && sk_X509_EXTENSION_num(t->extensions) <= 0)) {
        return 0;
    }
    *granted = false;
    certificate = certificate_parse_keyless(der, e);
    if (certificate == NULL) {
        return -1;
    }
    *granted = same_validity(t->validity, certificate);
    for (int i = 0; *granted && i < sk_X509_EXTENSION_num(t->extensions); i++) {
        *granted = has_extension(certificate, sk_X509_EXTENSION_value(t->extensions, i));
    }
    return 0;
}
