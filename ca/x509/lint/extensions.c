/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/x509/lint/extensions.h"

#include <string.h>

#include "ca/x509/pubkey.h"

enum { VALUE_MAX = 8 * 1024 };

/* Encodes the value that the extension must have. */
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
        bool set = true;

        for (int bit = 0; set && bit < 9; bit++) {
            set = ASN1_BIT_STRING_set_bit(value, bit,
                                          (int)(expected->profile->key_usage >> bit & 1)) == 1;
        }
        result = set ? OSSL_ENCODE(ASN1_BIT_STRING, value, out, e) : -1;
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

static int
policy_push(CERTIFICATEPOLICIES *policies, const char *dotted)
{
    POLICYINFO *policy = POLICYINFO_new();

    if (policy == NULL || sk_POLICYINFO_push(policies, policy) <= 0) {
        POLICYINFO_free(policy);
        return -1;
    }
    ASN1_OBJECT_free(policy->policyid);
    policy->policyid = OBJ_txt2obj(dotted, 1);
    return policy->policyid == NULL ? -1 : 0;
}

static int
encode_policies(const struct tbs_request *expected, const X509 *certificate, struct buf *out,
                struct err *e)
{
    CERTIFICATEPOLICIES *value = sk_POLICYINFO_new_null();
    int result = value == NULL ? -1 : 0;

    (void)certificate;
    for (size_t i = 0;
         result == 0 && i < CERT_POLICIES_MAX && expected->profile->policies[i] != NULL; i++) {
        result = policy_push(value, expected->profile->policies[i]);
    }
    if (result == 0) {
        result = OSSL_ENCODE(CERTIFICATEPOLICIES, value, out, e);
    }
    CERTIFICATEPOLICIES_free(value);
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
encode_no_rev_avail(const struct tbs_request *expected, const X509 *certificate, struct buf *out,
                    struct err *e)
{
    ASN1_TYPE *value = ASN1_TYPE_new();
    int result = -1;

    (void)expected;
    (void)certificate;
    if (value != NULL) {
        ASN1_TYPE_set(value, V_ASN1_NULL, NULL);
        result = OSSL_ENCODE(ASN1_TYPE, value, out, e);
    }
    ASN1_TYPE_free(value);
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
        const char *fqdn = expected->nf->fqdns[i];

        if ((expected->profile->wildcard || strchr(fqdn, '*') == NULL) &&
            name_push(value, GEN_DNS, fqdn) != 0) {
            return -1;
        }
    }
    for (size_t i = 0; expected->profile->extra_dns_nf_type && i < expected->nf->n_types; i++) {
        if (name_push(value, GEN_DNS, expected->nf->types[i]) != 0) {
            return -1;
        }
    }
    if (name_push(value, GEN_URI, urn) != 0) {
        return -1;
    }
    return OSSL_ENCODE(GENERAL_NAMES, value, out, e);
}

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

/* An officer's certificate states no purpose. */
static bool
with_purpose(const struct tbs_request *expected)
{
    return of_end_entity(expected) && expected->profile->eku[0] != NULL;
}

static bool
with_policies(const struct tbs_request *expected)
{
    return of_end_entity(expected) && expected->profile->policies[0] != NULL;
}

static bool
revocable(const struct tbs_request *expected)
{
    return expected->profile->class != PROFILE_ROOT && !expected->profile->no_rev_avail;
}

static bool
not_revocable(const struct tbs_request *expected)
{
    return of_end_entity(expected) && expected->profile->no_rev_avail;
}

static const struct {
    const char *field;
    const char *oid;
    bool critical;
    bool (*belongs)(const struct tbs_request *);
    encoder *encode;
} extensions[] = {
    {"nfTypes", "1.3.6.1.5.5.7.1.34", false, of_nf,
     encode_nf_types}, /* RFC 9310 3: MUST NOT be critical */
    {"basicConstraints", "2.5.29.19", true, of_ca, encode_basic_constraints},
    {"keyUsage", "2.5.29.15", true, always, encode_key_usage},
    {"extKeyUsage", "2.5.29.37", false, with_purpose, encode_extended_key_usage},
    {"certificatePolicies", "2.5.29.32", false, with_policies, encode_policies},
    {"subjectKeyIdentifier", "2.5.29.14", false, always, encode_subject_key_id},
    {"authorityKeyIdentifier", "2.5.29.35", false, always, encode_authority_key_id},
    {"cRLDistributionPoints", "2.5.29.31", false, revocable, encode_crl_url},
    {"noRevAvail", "2.5.29.56", false, not_revocable, encode_no_rev_avail},
    {"subjectAltName", "2.5.29.17", true, of_nf, encode_subject_alt_name},
};

/* X.690 11.1: TRUE is 0xff. OpenSSL reads and writes every other value back as it was. */
static bool
is_der(X509_EXTENSION *extension)
{
    X509_EXTENSION *copy = X509_EXTENSION_create_by_OBJ(NULL, X509_EXTENSION_get_object(extension),
                                                        X509_EXTENSION_get_critical(extension),
                                                        X509_EXTENSION_get_data(extension));
    CLEANUP(buf_free) struct buf found = BUF_INIT(VALUE_MAX + 64);
    CLEANUP(buf_free) struct buf wanted = BUF_INIT(VALUE_MAX + 64);
    struct err ignored;
    bool equal = copy != NULL && OSSL_ENCODE(X509_EXTENSION, extension, &found, &ignored) == 0 &&
                 OSSL_ENCODE(X509_EXTENSION, copy, &wanted, &ignored) == 0 &&
                 span_equal(buf_span(&found), buf_span(&wanted));

    X509_EXTENSION_free(copy);
    return equal;
}

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
        return lint_departs(e, field, "missing");
    }
    if (twice) {
        return lint_departs(e, field, "stands there twice");
    }
    extension = X509_get_ext(certificate, at);
    if ((X509_EXTENSION_get_critical(extension) != 0) != extensions[i].critical) {
        return lint_departs(e, field, extensions[i].critical ? "not critical" : "critical");
    }
    if (!is_der(extension)) {
        return lint_departs(e, field, "critical is not encoded as in DER");
    }
    if (extensions[i].encode(expected, certificate, &wanted, e) != 0) {
        return lint_departs(e, field, "the expected value cannot be encoded");
    }
    value = X509_EXTENSION_get_data(extension);
    if (!span_equal(buf_span(&wanted),
                    span_of(ASN1_STRING_get0_data(value), (size_t)ASN1_STRING_length(value)))) {
        return lint_departs(e, field, "not the value of profile and request");
    }
    return 0;
}

int
lint_extensions(X509 *certificate, const struct tbs_request *expected, struct err *e)
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
               : lint_departs(e, "extensions", "one that the profile does not have");
}
