/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the finished octets are good for, read back through OpenSSL and judged by a table of its
 * own: were profile/matrix.c or a profile wrong, this is where it would show.
 */
#include <string.h>

#include "ca/x509/lint/extensions.h"

enum { TEXT_MAX = 64 };

#define ANY_PURPOSE "2.5.29.37.0"
#define OWN_PURPOSES "1.3.6.1.4.1."
#define NF_TYPES "1.3.6.1.5.5.7.1.34"
#define NO_REV_AVAIL "2.5.29.56"

DEFINE_CLEANUP(bits_cleanup, ASN1_BIT_STRING, ASN1_BIT_STRING_free)
DEFINE_CLEANUP(purposes_cleanup, EXTENDED_KEY_USAGE, EXTENDED_KEY_USAGE_free)
DEFINE_CLEANUP(access_cleanup, AUTHORITY_INFO_ACCESS, AUTHORITY_INFO_ACCESS_free)

/* RFC 9509 3, 4; the bits are those that may be set: 1 digitalSignature, 2 nonRepudiation, 4
 * keyEncipherment. */
static const struct {
    const char *oid;
    unsigned bits;
    int group;
    const char *nf_type;
} purposes[] = {
    {"1.3.6.1.5.5.7.3.1", 1, 1, NULL},   {"1.3.6.1.5.5.7.3.2", 1, 1, NULL},
    {"1.3.6.1.5.5.7.3.37", 3, 2, NULL},  {"1.3.6.1.5.5.7.3.38", 4, 3, "SEPP"},
    {"1.3.6.1.5.5.7.3.39", 3, 4, "NRF"},
};

static X509_EXTENSION *
extension_find(const X509 *certificate, const char *dotted)
{
    ASN1_OBJECT *oid = OBJ_txt2obj(dotted, 1);
    int at = oid == NULL ? -1 : X509_get_ext_by_OBJ(certificate, oid, -1);

    ASN1_OBJECT_free(oid);
    return at < 0 ? NULL : X509_get_ext(certificate, at);
}

static unsigned
key_usage_of(const X509 *certificate)
{
    CLEANUP(bits_cleanup)
    ASN1_BIT_STRING *bits = X509_get_ext_d2i(certificate, NID_key_usage, NULL, NULL);
    unsigned set = 0;

    for (int i = 0; bits != NULL && i < 9; i++) {
        set |= ASN1_BIT_STRING_get_bit(bits, i) != 0 ? 1U << i : 0;
    }
    return set;
}

/* Is the type one of NFTypes? Each element is IA5String, length in one octet. */
static bool
has_nf_type(const X509 *certificate, const char *type)
{
    X509_EXTENSION *extension = extension_find(certificate, NF_TYPES);
    const ASN1_OCTET_STRING *value = extension == NULL ? NULL : X509_EXTENSION_get_data(extension);
    const unsigned char *p = value == NULL ? NULL : ASN1_STRING_get0_data(value);
    ASN1_SEQUENCE_ANY *list =
        p == NULL ? NULL : d2i_ASN1_SEQUENCE_ANY(NULL, &p, ASN1_STRING_length(value));
    bool found = false;

    for (int i = 0; i < sk_ASN1_TYPE_num(list); i++) {
        const ASN1_TYPE *element = sk_ASN1_TYPE_value(list, i);
        const ASN1_STRING *text =
            element->type == V_ASN1_IA5STRING ? element->value.ia5string : NULL;

        found = found || (text != NULL && (size_t)ASN1_STRING_length(text) == strlen(type) &&
                          memcmp(ASN1_STRING_get0_data(text), type, strlen(type)) == 0);
    }
    sk_ASN1_TYPE_pop_free(list, ASN1_TYPE_free);
    return found;
}

static int
check_nf_purpose(const X509 *certificate, const char *oid, unsigned bits, int *group, struct err *e)
{
    size_t i = 0;

    while (i < ARRAY_LEN(purposes) && strcmp(purposes[i].oid, oid) != 0) {
        i++;
    }
    if (i == ARRAY_LEN(purposes)) {
        if (strncmp(oid, OWN_PURPOSES, sizeof(OWN_PURPOSES) - 1) != 0 || *group > 0) {
            return lint_departs(e, "extKeyUsage", "a purpose that no network function has");
        }
        *group = -1;
        return bits == 1 ? 0 : lint_departs(e, "keyUsage", "not digitalSignature alone");
    }
    if (*group != 0 && *group != purposes[i].group) {
        return lint_departs(e, "extKeyUsage", "purposes that are not for one key (RFC 9509 1)");
    }
    *group = purposes[i].group;
    if (bits == 0 || (bits & ~purposes[i].bits) != 0) {
        return lint_departs(e, "keyUsage", "does not go with the purpose (RFC 9509 4)");
    }
    return purposes[i].nf_type == NULL || has_nf_type(certificate, purposes[i].nf_type)
               ? 0
               : lint_departs(e, "nfTypes", "not entitled to the purpose (RFC 9509 5)");
}

static int
check_end_entity(const X509 *certificate, const struct tbs_request *expected, struct err *e)
{
    bool nf = expected->profile->class == PROFILE_NF;
    CLEANUP(purposes_cleanup)
    EXTENDED_KEY_USAGE *list = X509_get_ext_d2i(certificate, NID_ext_key_usage, NULL, NULL);
    unsigned bits = key_usage_of(certificate);
    int group = 0;

    if (!nf && bits != 1) {
        return lint_departs(e, "keyUsage", "not digitalSignature alone");
    }
    if (extension_find(certificate, "2.5.29.37") == NULL && !nf &&
        expected->profile->eku[0] == NULL) {
        return 0;
    }
    if (sk_ASN1_OBJECT_num(list) <= 0) {
        return lint_departs(e, "extKeyUsage", "no purpose");
    }
    for (int i = 0; i < sk_ASN1_OBJECT_num(list); i++) {
        char oid[TEXT_MAX];
        int n = OBJ_obj2txt(oid, sizeof(oid), sk_ASN1_OBJECT_value(list, i), 1);

        if (n <= 0 || n >= (int)sizeof(oid) || strcmp(oid, ANY_PURPOSE) == 0) {
            return lint_departs(e, "extKeyUsage", "any purpose");
        }
        if (nf && check_nf_purpose(certificate, oid, bits, &group, e) != 0) {
            return -1;
        }
    }
    return 0;
}

/* RFC 9608 2, 3: NULL, not critical, not in a CA certificate, and nothing besides that says where
 * revocation is told. Everything else but a root says it. */
static int
check_revocation(const X509 *certificate, const struct tbs_request *expected, struct err *e)
{
    static const uint8_t null[] = {0x05, 0x00};
    X509_EXTENSION *none = extension_find(certificate, NO_REV_AVAIL);
    bool points = extension_find(certificate, "2.5.29.31") != NULL;
    CLEANUP(access_cleanup)
    AUTHORITY_INFO_ACCESS *access = X509_get_ext_d2i(certificate, NID_info_access, NULL, NULL);
    const ASN1_OCTET_STRING *value;

    if (none == NULL) {
        return points || expected->profile->class == PROFILE_ROOT
                   ? 0
                   : lint_departs(e, "cRLDistributionPoints", "missing (TS 33.310 6.1.3c.3)");
    }
    value = X509_EXTENSION_get_data(none);
    if (!expected->profile->no_rev_avail || profile_is_ca(expected->profile) ||
        X509_EXTENSION_get_critical(none) != 0 ||
        !span_equal(span_of(ASN1_STRING_get0_data(value), (size_t)ASN1_STRING_length(value)),
                    span_of(null, sizeof(null)))) {
        return lint_departs(e, "noRevAvail", "not allowed, critical, or not NULL (RFC 9608 2)");
    }
    for (int i = 0; i < sk_ACCESS_DESCRIPTION_num(access); i++) {
        if (OBJ_obj2nid(sk_ACCESS_DESCRIPTION_value(access, i)->method) == NID_ad_OCSP) {
            points = true;
        }
    }
    return points || extension_find(certificate, "2.5.29.46") != NULL
               ? lint_departs(e, "noRevAvail", "beside a place that tells revocation (RFC 9608 3)")
               : 0;
}

/* Kind and size by OpenSSL's reading of the key. */
static int
check_key(EVP_PKEY *key, const struct tbs_request *expected, unsigned bits, struct err *e)
{
    const struct profile *p = expected->profile;
    char curve[TEXT_MAX] = "";
    bool taken = false;

    if (EVP_PKEY_is_a(key, "RSA") == 1) {
        taken = p->rsa_bits > 0 && EVP_PKEY_get_bits(key) >= p->rsa_bits;
    } else if (EVP_PKEY_is_a(key, "EC") == 1 &&
               EVP_PKEY_get_group_name(key, curve, sizeof(curve), NULL) == 1) {
        /* RFC 5480 3: no keyEncipherment */
        taken = (bits & 4) == 0 &&
                ((strcmp(curve, "prime256v1") == 0 && (p->ec_keys & 1U << PUBKEY_P256) != 0) ||
                 (strcmp(curve, "secp384r1") == 0 && (p->ec_keys & 1U << PUBKEY_P384) != 0));
    }
    return taken ? 0 : lint_departs(e, "subjectPublicKeyInfo", "not a key that the profile takes");
}

int
lint_purpose(X509 *certificate, EVP_PKEY *key, const struct tbs_request *expected, struct err *e)
{
    unsigned bits = key_usage_of(certificate);
    bool ca = profile_is_ca(expected->profile);

    if (ca ? bits != (1U << 5 | 1U << 6) : (bits & ~7U) != 0) {
        return lint_departs(e, "keyUsage",
                            ca ? "not keyCertSign and cRLSign alone" : "what no end entity has");
    }
    if (!ca && check_end_entity(certificate, expected, e) != 0) {
        return -1;
    }
    return check_key(key, expected, bits, e) != 0 || check_revocation(certificate, expected, e) != 0
               ? -1
               : 0;
}
