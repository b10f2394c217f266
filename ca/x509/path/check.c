/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/x509/path/check.h"

#include <openssl/err.h>
#include <openssl/rsa.h>
#include <string.h>

#include "ca/x509/path/names.h"
#include "ca/x509/pubkey.h"

enum { SERIAL_OCTETS_MAX = 20 };

/* ---- shared by certificates and CRLs ---- */

struct rule {
    int nid;
    bool critical; /* MUST be, or MUST NOT be */
};

/* RFC 5280 4.2 */
static const struct rule certificate_rules[] = {
    {NID_authority_key_identifier, false},     /* 4.2.1.1 */
    {NID_subject_key_identifier, false},       /* 4.2.1.2 */
    {NID_subject_directory_attributes, false}, /* 4.2.1.8 */
    {NID_name_constraints, true},              /* 4.2.1.10 */
    {NID_policy_constraints, true},            /* 4.2.1.11 */
    {NID_inhibit_any_policy, true},            /* 4.2.1.14 */
    {NID_freshest_crl, false},                 /* 4.2.1.15 */
    {NID_info_access, false},                  /* 4.2.2.1 */
    {NID_sinfo_access, false},                 /* 4.2.2.2 */
};

/* RFC 5280 5.2 */
static const struct rule crl_rules[] = {
    {NID_authority_key_identifier, false},  /* 5.2.1 */
    {NID_crl_number, false},                /* 5.2.3 */
    {NID_delta_crl, true},                  /* 5.2.4 */
    {NID_issuing_distribution_point, true}, /* 5.2.5 */
    {NID_freshest_crl, false},              /* 5.2.6 */
    {NID_info_access, false},               /* 5.2.7 */
};

static int
extensions_check(const STACK_OF(X509_EXTENSION) * extensions, const struct rule *rules, size_t n,
                 struct err *e)
{
    for (int i = 0; i < sk_X509_EXTENSION_num(extensions); i++) {
        X509_EXTENSION *extension = sk_X509_EXTENSION_value(extensions, i);
        const ASN1_OBJECT *oid = X509_EXTENSION_get_object(extension);
        int nid = OBJ_obj2nid(oid);

        if (X509v3_get_ext_by_OBJ(extensions, oid, i) >= 0) {
            return err_set(e, ERR_DENIED, "an extension stands there twice"); /* 4.2 */
        }
        for (size_t k = 0; k < n; k++) {
            if (rules[k].nid == nid &&
                rules[k].critical != (X509_EXTENSION_get_critical(extension) != 0)) {
                return err_set(e, ERR_DENIED, "extension %s must %sbe critical", OBJ_nid2sn(nid),
                               rules[k].critical ? "" : "not ");
            }
        }
    }
    return 0;
}

/* ---- limits ---- */

/* How many elements the first extension of this kind has; -1 when it does not decode. A second one
 * of the same kind is refused by extensions_check(). */
static int
elements_of(X509 *certificate, int nid)
{
    int where = -1;
    void *value = X509_get_ext_d2i(certificate, nid, &where, NULL);
    const NAME_CONSTRAINTS *constraints;
    int n;

    if (value == NULL) {
        return where == -1 ? 0 : -1;
    }
    if (nid == NID_name_constraints) {
        constraints = value;
        n = sk_GENERAL_SUBTREE_num(constraints->permittedSubtrees);
        n = (n < 0 ? 0 : n) + (sk_GENERAL_SUBTREE_num(constraints->excludedSubtrees) < 0
                                   ? 0
                                   : sk_GENERAL_SUBTREE_num(constraints->excludedSubtrees));
        NAME_CONSTRAINTS_free(value);
        return n;
    }
    n = OPENSSL_sk_num(value);
    switch (nid) {
    case NID_subject_alt_name:
        GENERAL_NAMES_free(value);
        break;
    case NID_ext_key_usage:
        EXTENDED_KEY_USAGE_free(value);
        break;
    case NID_certificate_policies:
        CERTIFICATEPOLICIES_free(value);
        break;
    default:
        sk_POLICY_MAPPING_pop_free(value, POLICY_MAPPING_free);
        break;
    }
    return n;
}

static int
key_limits(X509 *certificate, struct err *e)
{
    EVP_PKEY *key = X509_get0_pubkey(certificate);

    ERR_clear_error();
    return key == NULL || EVP_PKEY_get_bits(key) > PUBKEY_RSA_BITS_MAX || !pubkey_is_bounded(key)
               ? err_set(e, ERR_DENIED,
                         "a public key that is not known, above %d bits, or with an exponent above "
                         "2^64",
                         PUBKEY_RSA_BITS_MAX)
               : 0;
}

int
path_check_limits(X509 *certificate, struct err *e)
{
    static const struct {
        int nid;
        int most;
    } limits[] = {
        {NID_subject_alt_name, PATH_NAMES_MAX},
        {NID_name_constraints, PATH_SUBTREES_MAX},
        {NID_certificate_policies, PATH_POLICIES_MAX},
        {NID_policy_mappings, PATH_MAPPINGS_MAX},
    };

    if (i2d_X509(certificate, NULL) > PATH_CERTIFICATE_MAX) {
        return err_set(e, ERR_DENIED, "a certificate of more than %d octets", PATH_CERTIFICATE_MAX);
    }
    if (X509_get_ext_count(certificate) > PATH_EXTENSIONS_MAX) {
        return err_set(e, ERR_DENIED, "more than %d extensions", PATH_EXTENSIONS_MAX);
    }
    if (X509_NAME_entry_count(X509_get_subject_name(certificate)) > PATH_RDNS_MAX) {
        return err_set(e, ERR_DENIED, "a subject of more than %d parts", PATH_RDNS_MAX);
    }
    if (ossl_has_extension(X509_get0_extensions(certificate), NID_policy_constraints) &&
        !ossl_has_extension(X509_get0_extensions(certificate), NID_certificate_policies)) {
        return err_set(e, ERR_DENIED, "policyConstraints without certificatePolicies");
    }
    for (size_t i = 0; i < ARRAY_LEN(limits); i++) {
        int n = elements_of(certificate, limits[i].nid);

        if (n < 0 || n > limits[i].most) {
            ERR_clear_error();
            return err_set(e, ERR_DENIED, "%s: malformed, twice, or of more than %d elements",
                           OBJ_nid2sn(limits[i].nid), limits[i].most);
        }
    }
    return key_limits(certificate, e);
}

/* ---- certificates ---- */

/* A number of at most `octets` octets as INTEGER. */
static bool
is_within(const BIGNUM *n, int octets)
{
    return BN_num_bits(n) < 8 * octets;
}

static int
serial_check(const ASN1_INTEGER *serial, unsigned allow, struct err *e)
{
    CLEANUP(bn_cleanup) BIGNUM *n = ASN1_INTEGER_to_BN(serial, NULL);
    int most = (allow & PATH_ALLOW_SERIAL_21) != 0 ? SERIAL_OCTETS_MAX + 1 : SERIAL_OCTETS_MAX;

    if (n == NULL || (BN_is_zero(n) && (allow & PATH_ALLOW_SERIAL_ZERO) == 0) ||
        (BN_is_negative(n) && (allow & PATH_ALLOW_SERIAL_NEGATIVE) == 0) || !is_within(n, most)) {
        return err_set(e, ERR_DENIED, "serial number not positive or above %d octets",
                       SERIAL_OCTETS_MAX);
    }
    return 0;
}

static int
key_check(X509 *certificate, struct err *e)
{
    CLEANUP(buf_free) struct buf spki = BUF_INIT(PUBKEY_SPKI_MAX);
    EVP_PKEY *key = X509_get0_pubkey(certificate);
    char group[32] = "";

    if (key == NULL) {
        ERR_clear_error();
        return err_set(e, ERR_DENIED, "a public key that is not known");
    }
    if (EVP_PKEY_is_a(key, "ED25519") == 1 || EVP_PKEY_is_a(key, "ED448") == 1) {
        return 0;
    }
    if (EVP_PKEY_is_a(key, "EC") == 1 &&
        EVP_PKEY_get_group_name(key, group, sizeof(group), NULL) == 1 &&
        strcmp(group, SN_secp521r1) == 0) {
        return 0;
    }
    if (OSSL_ENCODE(X509_PUBKEY, X509_get_X509_PUBKEY(certificate), &spki, e) != 0 ||
        (EVP_PKEY_is_a(key, "RSA-PSS") == 1 ? pubkey_check_pss(buf_span(&spki), e)
                                            : pubkey_check_spki(buf_span(&spki), NULL, e)) != 0) {
        e->code = ERR_DENIED;
        return -1;
    }
    return 0;
}

static int
authority_check(X509 *certificate, struct err *e)
{
    const X509_EXTENSION *constraints =
        X509_get_ext(certificate, X509_get_ext_by_NID(certificate, NID_basic_constraints, -1));

    return X509_EXTENSION_get_critical(constraints) != 0
               ? 0
               : err_set(e, ERR_DENIED, "extension basicConstraints must be critical in a CA");
}

/* RFC 5280 4.2.1.5, 4.2.1.10, 4.2.1.11, 4.2.1.14: of CA certificates only. */
static int
end_entity_check(X509 *certificate, struct err *e)
{
    static const int for_cas[] = {NID_name_constraints, NID_policy_constraints,
                                  NID_inhibit_any_policy, NID_policy_mappings};

    for (size_t i = 0; i < ARRAY_LEN(for_cas); i++) {
        if (ossl_has_extension(X509_get0_extensions(certificate), for_cas[i])) {
            return err_set(e, ERR_DENIED, "extension %s is for CA certificates only",
                           OBJ_nid2sn(for_cas[i]));
        }
    }
    return 0;
}

static bool
are_known(const POLICYINFO *policy)
{
    for (int i = 0; i < sk_POLICYQUALINFO_num(policy->qualifiers); i++) {
        const POLICYQUALINFO *qualifier = sk_POLICYQUALINFO_value(policy->qualifiers, i);
        int nid = OBJ_obj2nid(qualifier->pqualid);

        if (nid != NID_id_qt_cps && nid != NID_id_qt_unotice) {
            return false;
        }
    }
    return true;
}

/* RFC 5280 4.2.1.4: where the extension is critical, all of it must be understood, the qualifiers
 * too. */
static int
policies_check(X509 *certificate, struct err *e)
{
    int at = X509_get_ext_by_NID(certificate, NID_certificate_policies, -1);
    bool critical = at >= 0 && X509_EXTENSION_get_critical(X509_get_ext(certificate, at)) != 0;
    bool unread;
    CERTIFICATEPOLICIES *policies =
        certificate_extension(certificate, NID_certificate_policies, &unread);
    bool known = !unread;

    for (int i = 0; critical && i < sk_POLICYINFO_num(policies); i++) {
        known = known && are_known(sk_POLICYINFO_value(policies, i));
    }
    CERTIFICATEPOLICIES_free(policies);
    return known ? 0
                 : err_set(e, ERR_DENIED,
                           "critical certificatePolicies with a qualifier that is not known, or "
                           "certificatePolicies that cannot be read");
}

int
path_check_anchor(X509 *certificate, struct err *e)
{
    static const char *const kinds[] = {"RSA", "RSA-PSS", "EC", "ED25519", "ED448"};
    EVP_PKEY *key = X509_get0_pubkey(certificate);
    bool known = false;

    ERR_clear_error();
    if (X509_check_ca(certificate) != 1 ||
        (X509_get_extension_flags(certificate) & EXFLAG_INVALID) != 0) {
        return err_set(e, ERR_DENIED,
                       "not a CA certificate (basicConstraints CA:TRUE, keyCertSign)");
    }
    for (size_t i = 0; key != NULL && i < ARRAY_LEN(kinds); i++) {
        known = known || EVP_PKEY_is_a(key, kinds[i]) == 1;
    }
    return known ? 0
                 : err_set(e, ERR_DENIED,
                           "its key is of kind %s: only RSA, EC and EdDSA keys vouch for others",
                           key == NULL || EVP_PKEY_get0_type_name(key) == NULL
                               ? "unknown"
                               : EVP_PKEY_get0_type_name(key));
}

int
path_check_certificate(X509 *certificate, unsigned allow, struct err *e)
{
    if (X509_get_version(certificate) != X509_VERSION_3) {
        return err_set(e, ERR_DENIED, "not an X.509 version 3 certificate");
    }
    if (serial_check(X509_get0_serialNumber(certificate), allow, e) != 0 ||
        extensions_check(X509_get0_extensions(certificate), certificate_rules,
                         ARRAY_LEN(certificate_rules), e) != 0 ||
        key_check(certificate, e) != 0 || policies_check(certificate, e) != 0 ||
        path_check_names(certificate, e) != 0) {
        return -1;
    }
    if (ossl_has_extension(X509_get0_extensions(certificate), NID_ext_key_usage) &&
        elements_of(certificate, NID_ext_key_usage) < 1) {
        return err_set(e, ERR_DENIED, "extendedKeyUsage without a purpose"); /* 4.2.1.12 */
    }
    if (ossl_has_extension(X509_get0_extensions(certificate), NID_name_constraints) &&
        elements_of(certificate, NID_name_constraints) < 1) {
        return err_set(e, ERR_DENIED, "nameConstraints without a subtree"); /* 4.2.1.10 */
    }
    if ((X509_get_extension_flags(certificate) & EXFLAG_INVALID) != 0) {
        return err_set(e, ERR_DENIED, "certificate with a malformed extension");
    }
    return X509_check_ca(certificate) == 1 ? authority_check(certificate, e)
                                           : end_entity_check(certificate, e);
}

/* ---- CRLs ---- */

/* The digest of RSASSA-PSS stands in its parameters. */
static int
pss_digest(const X509_ALGOR *algorithm)
{
    const void *value = NULL;
    int type = V_ASN1_UNDEF;
    RSA_PSS_PARAMS *pss = NULL;
    const ASN1_OBJECT *oid = NULL;
    int nid = NID_sha1; /* the default of RFC 4055 */

    X509_ALGOR_get0(NULL, &type, &value, algorithm);
    if (type == V_ASN1_SEQUENCE) {
        pss = ASN1_TYPE_unpack_sequence(ASN1_ITEM_rptr(RSA_PSS_PARAMS), algorithm->parameter);
    }
    if (pss != NULL && pss->hashAlgorithm != NULL) {
        X509_ALGOR_get0(&oid, NULL, NULL, pss->hashAlgorithm);
        nid = OBJ_obj2nid(oid);
    }
    RSA_PSS_PARAMS_free(pss);
    return nid;
}

/* OpenSSL's level of strength asks nothing of the signatures of CRLs. */
static int
signature_check(const X509_CRL *crl, struct err *e)
{
    const X509_ALGOR *algorithm = NULL;
    const ASN1_BIT_STRING *signature;
    int digest = NID_undef;
    int key = NID_undef;

    X509_CRL_get0_signature(crl, &signature, &algorithm);
    (void)OBJ_find_sigid_algs(X509_CRL_get_signature_nid(crl), &digest, &key);
    if (X509_CRL_get_signature_nid(crl) == NID_rsassaPss) {
        digest = pss_digest(algorithm);
    }
    if (digest == NID_sha256 || digest == NID_sha384 || digest == NID_sha512 ||
        key == NID_ED25519 || key == NID_ED448) {
        return 0;
    }
    return err_set(e, ERR_DENIED, "signed with %s: SHA-256 or better, or EdDSA, is wanted",
                   OBJ_nid2sn(X509_CRL_get_signature_nid(crl)));
}

static int
number_check(X509_CRL *crl, struct err *e)
{
    CLEANUP(asn1_integer_cleanup)
    ASN1_INTEGER *number = X509_CRL_get_ext_d2i(crl, NID_crl_number, NULL, NULL);
    CLEANUP(bn_cleanup) BIGNUM *n = NULL;

    if (number == NULL) {
        return err_set(e, ERR_DENIED, "without cRLNumber"); /* 5.2.3 */
    }
    n = ASN1_INTEGER_to_BN(number, NULL);
    return n != NULL && !BN_is_negative(n) && is_within(n, SERIAL_OCTETS_MAX)
               ? 0
               : err_set(e, ERR_DENIED, "cRLNumber not positive or above %d octets",
                         SERIAL_OCTETS_MAX);
}

int
path_check_crl(X509_CRL *crl, struct err *e)
{
    if (X509_CRL_get_version(crl) != X509_CRL_VERSION_2) {
        return err_set(e, ERR_DENIED, "not a version 2 CRL"); /* 5.1.2.1 */
    }
    if (X509_CRL_get0_nextUpdate(crl) == NULL) {
        return err_set(e, ERR_DENIED, "without nextUpdate"); /* 5.1.2.5 */
    }
    if (extensions_check(X509_CRL_get0_extensions(crl), crl_rules, ARRAY_LEN(crl_rules), e) != 0 ||
        number_check(crl, e) != 0 || signature_check(crl, e) != 0) {
        return -1;
    }
    if (!ossl_has_extension(X509_CRL_get0_extensions(crl), NID_authority_key_identifier)) {
        return err_set(e, ERR_DENIED, "without authorityKeyIdentifier"); /* 5.2.1 */
    }
    return 0;
}
