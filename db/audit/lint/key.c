/* SPDX-License-Identifier: Apache-2.0 */
/* The key, whose it is, and what identifies it. */
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>

#include "db/audit/lint/case.h"

enum {
    RSA_BITS_MIN = 2048,
    EXPONENT_MIN = 65537,
    FACTOR_MAX = 1000,
    KEY_ID_SIZE = 20, /* SHA-1 */
    UNCOMPRESSED = 4,
    NAME_SIZE = 64,
};

/* "P-256", "P-384", "RSA"; "" for every other one. */
static const char *
kind_of(EVP_PKEY *key)
{
    char group[NAME_SIZE] = "";

    if (EVP_PKEY_is_a(key, "RSA") == 1) {
        return "RSA";
    }
    if (EVP_PKEY_is_a(key, "EC") != 1 ||
        EVP_PKEY_get_group_name(key, group, sizeof(group), NULL) != 1) {
        return "";
    }
    return strcmp(group, "prime256v1") == 0  ? "P-256"
           : strcmp(group, "secp384r1") == 0 ? "P-384"
                                             : "";
}

/* The size behind "RSA-" in the list; 0: none. */
static long
rsa_bits(cfg_t *profile)
{
    for (unsigned i = 0; i < cfg_size(profile, "keys"); i++) {
        const char *text = cfg_getnstr(profile, "keys", i);

        if (strncmp(text, "RSA-", 4) == 0) {
            return strtol(text + 4, NULL, 10);
        }
    }
    return 0;
}

enum lint_outcome
lint_key_kind(const struct lint_case *c, struct err *why)
{
    EVP_PKEY *key = X509_get0_pubkey(c->certificate);
    const long bits = rsa_bits(c->profile->profile);
    const char *kind;

    if (key == NULL) {
        return LINT_FAIL(why, "it is none that can be read");
    }
    kind = kind_of(key);
    if (strcmp(kind, "RSA") == 0) {
        return bits > 0 && EVP_PKEY_get_bits(key) >= bits
                   ? LINT_PASSED
                   : LINT_FAIL(why, "RSA of %d bits is not for this profile",
                               EVP_PKEY_get_bits(key));
    }
    return kind[0] != '\0' && lint_has(c->profile->profile, "keys", kind)
               ? LINT_PASSED
               : LINT_FAIL(why, "%s is not for this profile", kind[0] == '\0' ? "its kind" : kind);
}

/* On its curve, and as an uncompressed point (TS 33.310 6.1.1). */
enum lint_outcome
lint_key_valid(const struct lint_case *c, struct err *why)
{
    EVP_PKEY *key = X509_get0_pubkey(c->certificate);
    CLEANUP(evp_pkey_ctx_cleanup) EVP_PKEY_CTX *context = NULL;
    const ASN1_BIT_STRING *bits = X509_get0_pubkey_bitstr(c->certificate);
    bool good;

    if (key == NULL) {
        ERR_clear_error();
        return LINT_FAIL(why, "it is none that can be read");
    }
    if (EVP_PKEY_is_a(key, "RSA") == 1) {
        return LINT_APART; /* key.rsa */
    }
    context = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);
    good = context != NULL && EVP_PKEY_public_check(context) == 1 && ASN1_STRING_length(bits) > 0 &&
           ASN1_STRING_get0_data(bits)[0] == UNCOMPRESSED;
    ERR_clear_error();
    return good ? LINT_PASSED
                : LINT_FAIL(why, "it is no point of its curve, or one that is compressed");
}

static bool
has_small_factor(const BIGNUM *modulus)
{
    for (BN_ULONG factor = 2; factor < FACTOR_MAX; factor++) {
        if (BN_mod_word(modulus, factor) == 0) {
            return true;
        }
    }
    return false;
}

/* RFC 5280 4.1.2.7 with RFC 8017 3.1; an exponent of 65537 or more. */
enum lint_outcome
lint_key_rsa(const struct lint_case *c, struct err *why)
{
    EVP_PKEY *key = X509_get0_pubkey(c->certificate);
    CLEANUP(bn_cleanup) BIGNUM *modulus = NULL;
    CLEANUP(bn_cleanup) BIGNUM *exponent = NULL;

    if (key == NULL || EVP_PKEY_is_a(key, "RSA") != 1) {
        return LINT_APART;
    }
    if (EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_N, &modulus) != 1 ||
        EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_E, &exponent) != 1) {
        return LINT_FAIL(why, "it has no modulus or no exponent");
    }
    if (BN_num_bits(modulus) < RSA_BITS_MIN) {
        return LINT_FAIL(why, "it has %d bits", BN_num_bits(modulus));
    }
    if (BN_is_odd(exponent) != 1 || (BN_num_bits(exponent) < (int)sizeof(EXPONENT_MIN) * 8 &&
                                     BN_get_word(exponent) < EXPONENT_MIN)) {
        return LINT_FAIL(why, "its exponent is even, or below 65537");
    }
    return has_small_factor(modulus) ? LINT_FAIL(why, "a number below %d divides it", FACTOR_MAX)
                                     : LINT_PASSED;
}

enum lint_outcome
lint_key_issuer(const struct lint_case *c, struct err *why)
{
    return X509_PUBKEY_eq(X509_get_X509_PUBKEY(c->certificate), X509_get_X509_PUBKEY(c->issuer)) ==
                   1
               ? LINT_FAIL(why, "it is the issuing key")
               : LINT_PASSED;
}

enum lint_outcome
lint_key_owner(const struct lint_case *c, struct err *why)
{
    return c->key_owner == NULL
               ? LINT_PASSED
               : LINT_FAIL(why, "%s has it, too, in a certificate before", c->key_owner);
}

/* ---- identifiers ---- */

static bool
is_same(const ASN1_OCTET_STRING *a, const unsigned char *octets, int n)
{
    return a != NULL && ASN1_STRING_length(a) == n &&
           memcmp(ASN1_STRING_get0_data(a), octets, (size_t)n) == 0;
}

/* RFC 5280 4.2.1.2 (1): SHA-1 of the BIT STRING's value. */
enum lint_outcome
lint_ski_value(const struct lint_case *c, struct err *why)
{
    bool unread = false;
    CLEANUP(asn1_octet_string_cleanup)
    ASN1_OCTET_STRING *found =
        certificate_extension(c->certificate, NID_subject_key_identifier, &unread);
    const ASN1_BIT_STRING *bits = X509_get0_pubkey_bitstr(c->certificate);
    unsigned char digest[KEY_ID_SIZE];

    ERR_clear_error();
    if (found == NULL && !unread) {
        return LINT_APART;
    }
    if (EVP_Digest(ASN1_STRING_get0_data(bits), (size_t)ASN1_STRING_length(bits), digest, NULL,
                   EVP_sha1(), NULL) != 1) {
        (void)ossl_err(why, ERR_CRYPTO, "SHA-1");
        return LINT_NOT_RUN;
    }
    return is_same(found, digest, sizeof(digest))
               ? LINT_PASSED
               : LINT_FAIL(why, "it is not the SHA-1 of the key");
}

static AUTHORITY_KEYID *
authority_key(const struct lint_case *c)
{
    bool unread = false;
    AUTHORITY_KEYID *id =
        certificate_extension(c->certificate, NID_authority_key_identifier, &unread);

    ERR_clear_error();
    return id;
}

/* Only the key's: what has issuer and serial number too is not as others of the authority. */
enum lint_outcome
lint_aki_form(const struct lint_case *c, struct err *why)
{
    AUTHORITY_KEYID *id = authority_key(c);
    const bool good = id != NULL && id->keyid != NULL &&
                      ASN1_STRING_length(id->keyid) == KEY_ID_SIZE && id->issuer == NULL &&
                      id->serial == NULL;

    AUTHORITY_KEYID_free(id);
    return good ? LINT_PASSED : LINT_FAIL(why, "it is not a keyIdentifier of 20 octets alone");
}

enum lint_outcome
lint_aki_value(const struct lint_case *c, struct err *why)
{
    const ASN1_OCTET_STRING *wanted = X509_get0_subject_key_id(c->issuer);
    AUTHORITY_KEYID *id;
    bool good;

    if (wanted == NULL) {
        (void)err_set(why, ERR_NOTFOUND, "the issuing certificate has no subjectKeyIdentifier");
        return LINT_NOT_RUN;
    }
    id = authority_key(c);
    good =
        id != NULL && is_same(id->keyid, ASN1_STRING_get0_data(wanted), ASN1_STRING_length(wanted));
    AUTHORITY_KEYID_free(id);
    return good ? LINT_PASSED
                : LINT_FAIL(why, "it is not the issuing certificate's subjectKeyIdentifier");
}
