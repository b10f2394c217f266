/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a certificate is good for: key usage, purposes, wildcards, and where its revocation is told.
 * The CA's profiles decide; this is what the key's policy lets them decide.
 */
#include <openssl/x509v3.h>
#include <string.h>

#include "base/ossl.h"
#include "pkcs11/signer/purpose.h"

enum {
    KEY_USAGE_BITS = 9,
    ABSENT = -1, /* what X509_get_ext_d2i() says of an extension that is not there */
};

/* Extensions below 2.5.29 */
enum {
    SUBJECT_ALT_NAME = 17,
    CRL_DISTRIBUTION_POINTS = 31,
    CERTIFICATE_POLICIES = 32,
    EXT_KEY_USAGE = 37,
    FRESHEST_CRL = 46,
    NO_REV_AVAIL = 56, /* RFC 9608 */
};

#define ENTERPRISES "1.3.6.1.4.1."

DEFINE_CLEANUP(bits_cleanup, ASN1_BIT_STRING, ASN1_BIT_STRING_free)
DEFINE_CLEANUP(purposes_cleanup, EXTENDED_KEY_USAGE, EXTENDED_KEY_USAGE_free)
DEFINE_CLEANUP(policies_cleanup, CERTIFICATEPOLICIES, CERTIFICATEPOLICIES_free)
DEFINE_CLEANUP(points_cleanup, CRL_DIST_POINTS, CRL_DIST_POINTS_free)
DEFINE_CLEANUP(access_cleanup, AUTHORITY_INFO_ACCESS, AUTHORITY_INFO_ACCESS_free)

/* 2.5.29.<arc> (RFC 5280 A.2), by its octets: to look for it needs no memory, so that one that is
 * there is found. */
static X509_EXTENSION *
find(const X509 *x, uint8_t arc)
{
    const uint8_t wanted[] = {0x55, 0x1d, arc};

    for (int i = 0; i < X509_get_ext_count(x); i++) {
        X509_EXTENSION *extension = X509_get_ext(x, i);
        const ASN1_OBJECT *oid = X509_EXTENSION_get_object(extension);

        if (span_equal(span_of(OBJ_get0_data(oid), OBJ_length(oid)),
                       span_of(wanted, sizeof(wanted)))) {
            return extension;
        }
    }
    return NULL;
}

static int
check_key_usage(const struct policy *p, const X509 *x, struct err *e)
{
    CLEANUP(bits_cleanup) ASN1_BIT_STRING *usage = X509_get_ext_d2i(x, NID_key_usage, NULL, NULL);
    const int n = usage == NULL ? 0 : 8 * ASN1_STRING_length(usage);

    if (usage == NULL) {
        return ossl_err(e, ERR_DENIED, "keyUsage cannot be decoded");
    }
    /* All that are there: RFC 5280 4.2.1.3 names nine, and no policy allows others. */
    for (int bit = 0; bit < n; bit++) {
        if (ASN1_BIT_STRING_get_bit(usage, bit) != 0 &&
            (bit >= KEY_USAGE_BITS || (p->key_usage >> bit & 1) == 0)) {
            return err_set(e, ERR_DENIED, "keyUsage has a bit that the policy's key_usage has not");
        }
    }
    return 0;
}

/* RFC 5280 4.2.1.12: a purpose is stated, and it is neither any nor that of one who answers for the
 * CA about revocation (RFC 6960 4.2.2.2). None is stated only for who has no name in the network
 * (subjectAltName), and so is nobody's server: a person. */
static int
check_purposes(const X509 *x, struct err *e)
{
    CLEANUP(purposes_cleanup)
    EXTENDED_KEY_USAGE *list = X509_get_ext_d2i(x, NID_ext_key_usage, NULL, NULL);

    if (find(x, EXT_KEY_USAGE) == NULL && find(x, SUBJECT_ALT_NAME) == NULL) {
        return 0;
    }
    if (sk_ASN1_OBJECT_num(list) <= 0) {
        return err_set(e, ERR_DENIED, "extendedKeyUsage states no purpose");
    }
    for (int i = 0; i < sk_ASN1_OBJECT_num(list); i++) {
        int nid = OBJ_obj2nid(sk_ASN1_OBJECT_value(list, i));

        if (nid == NID_anyExtendedKeyUsage || nid == NID_OCSP_sign) {
            return err_set(e, ERR_DENIED, "extendedKeyUsage has %s", OBJ_nid2sn(nid));
        }
    }
    return 0;
}

/* RFC 5280 4.2.1.4: an operator's own, under its enterprise number, and nothing to fetch or read.
 */
static int
check_policies(const X509 *x, struct err *e)
{
    CLEANUP(policies_cleanup)
    CERTIFICATEPOLICIES *list = X509_get_ext_d2i(x, NID_certificate_policies, NULL, NULL);

    if (find(x, CERTIFICATE_POLICIES) == NULL) {
        return 0;
    }
    if (sk_POLICYINFO_num(list) <= 0) {
        return err_set(e, ERR_DENIED, "certificatePolicies cannot be decoded");
    }
    for (int i = 0; i < sk_POLICYINFO_num(list); i++) {
        const POLICYINFO *policy = sk_POLICYINFO_value(list, i);
        char dotted[128];
        int n = OBJ_obj2txt(dotted, sizeof(dotted), policy->policyid, 1);

        if (n <= 0 || n >= (int)sizeof(dotted) || policy->qualifiers != NULL ||
            strncmp(dotted, ENTERPRISES, sizeof(ENTERPRISES) - 1) != 0) {
            return err_set(e, ERR_DENIED,
                           "certificatePolicies has more than OIDs below " ENTERPRISES);
        }
    }
    return 0;
}

static int
check_names(const struct policy *p, const X509 *x, struct err *e)
{
    int critical = ABSENT;
    CLEANUP(general_names_cleanup)
    GENERAL_NAMES *names = X509_get_ext_d2i(x, NID_subject_alt_name, &critical, NULL);

    if (names == NULL && critical != ABSENT) {
        return ossl_err(e, ERR_INPUT, "subjectAltName cannot be decoded");
    }
    for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
        const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);

        if (name->type == GEN_DNS && !p->wildcard &&
            memchr(ASN1_STRING_get0_data(name->d.dNSName), '*',
                   (size_t)ASN1_STRING_length(name->d.dNSName)) != NULL) {
            return err_set(e, ERR_DENIED, "a wildcard, but the policy has no wildcard = true");
        }
    }
    return 0;
}

/* RFC 9608 2, 3. */
static int
check_no_rev_avail(const struct policy *p, const X509 *x, X509_EXTENSION *extension, bool points,
                   struct err *e)
{
    static const uint8_t null[] = {0x05, 0x00};
    const ASN1_OCTET_STRING *value = X509_EXTENSION_get_data(extension);
    int critical = ABSENT;
    CLEANUP(access_cleanup)
    AUTHORITY_INFO_ACCESS *access = X509_get_ext_d2i(x, NID_info_access, &critical, NULL);

    if (!p->no_rev_avail) {
        return err_set(e, ERR_DENIED, "noRevAvail, but the policy has no no_rev_avail = true");
    }
    if (access == NULL && critical != ABSENT) {
        return ossl_err(e, ERR_INPUT, "authorityInfoAccess cannot be decoded");
    }
    for (int i = 0; i < sk_ACCESS_DESCRIPTION_num(access); i++) {
        points =
            points || OBJ_obj2nid(sk_ACCESS_DESCRIPTION_value(access, i)->method) == NID_ad_OCSP;
    }
    if (points || X509_EXTENSION_get_critical(extension) != 0 ||
        !span_equal(span_of(ASN1_STRING_get0_data(value), (size_t)ASN1_STRING_length(value)),
                    span_of(null, sizeof(null)))) {
        return err_set(e, ERR_DENIED,
                       "noRevAvail is critical, not NULL, or beside a place that tells revocation");
    }
    return 0;
}

static int
check_revocation(const struct policy *p, const X509 *x, struct err *e)
{
    X509_EXTENSION *none = find(x, NO_REV_AVAIL);
    bool points = find(x, CRL_DISTRIBUTION_POINTS) != NULL;
    CLEANUP(points_cleanup)
    CRL_DIST_POINTS *list = X509_get_ext_d2i(x, NID_crl_distribution_points, NULL, NULL);

    if (points && sk_DIST_POINT_num(list) <= 0) {
        return ossl_err(e, ERR_INPUT, "cRLDistributionPoints cannot be decoded");
    }
    if (none != NULL) {
        return check_no_rev_avail(p, x, none, points || find(x, FRESHEST_CRL) != NULL, e);
    }
    return points ? 0 : err_set(e, ERR_DENIED, "no cRLDistributionPoints");
}

int
purpose_check(const struct policy *p, const X509 *x, struct err *e)
{
    return check_key_usage(p, x, e) != 0 || check_purposes(x, e) != 0 ||
                   check_policies(x, e) != 0 || check_names(p, x, e) != 0 ||
                   check_revocation(p, x, e) != 0
               ? -1
               : 0;
}
