/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/x509/profile/profile.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"

enum {
    ISSUING_MAX = 3653 * PROFILE_DAY, /* ten years */
    ROOT_DAYS = 9132,                 /* 25 years, CA/B Forum BR 7.1.2.1.1 */
    EC_ANY = 1 << PUBKEY_P256 | 1 << PUBKEY_P384,
};

#define ROOT_MAX ((time_t)ROOT_DAYS * PROFILE_DAY)

/* TS 33.310 6.1.1 and 6.1.3c.2: ECDSA is recommended, RSA of 2048 bits or more taken. */
#define KEYS_ANY .ec_keys = EC_ANY, .rsa_bits = PUBKEY_RSA_BITS_MIN
#define NF_TLS(NAME, SERVER, ...)                                                                  \
    {                                                                                              \
        .name = (NAME), .class = PROFILE_NF, .key_usage = KEY_USAGE_DIGITAL_SIGNATURE,             \
        .eku = {__VA_ARGS__}, .server = (SERVER), .max_validity = PROFILE_NF_MAX,                  \
        .validity = PROFILE_NF_MAX, .implicit_confirm = true, KEYS_ANY                             \
    }
#define INFRASTRUCTURE(NAME, ...)                                                                  \
    {                                                                                              \
        .name = (NAME), .class = PROFILE_INFRASTRUCTURE, .key_usage = KEY_USAGE_DIGITAL_SIGNATURE, \
        .eku = {__VA_ARGS__}, .max_validity = PROFILE_NF_MAX, .validity = PROFILE_NF_MAX, KEYS_ANY \
    }
#define AUTHORITY(NAME, CLASS, MAX)                                                                \
    {                                                                                              \
        .name = (NAME), .class = (CLASS),                                                          \
        .key_usage = KEY_USAGE_KEY_CERT_SIGN | KEY_USAGE_CRL_SIGN, .max_validity = (MAX),          \
        .validity = (MAX), KEYS_ANY                                                                \
    }

static const struct profile table[] = {
    NF_TLS("nf-tls-server", true, EKU_SERVER_AUTH),
    NF_TLS("nf-tls-client", false, EKU_CLIENT_AUTH),
    NF_TLS("nf-tls", true, EKU_SERVER_AUTH, EKU_CLIENT_AUTH),
    INFRASTRUCTURE("ra-cmp", EKU_CMC_RA),
    /* Who may do what is in the CA's record (db/issuance/role.h), not in an extension. A registrar
     * is a TLS client of the RA's administrative door; an officer's key signs, and its certificate
     * states no purpose (RFC 5280 4.2.1.12), TLS among them. */
    INFRASTRUCTURE("registrar", EKU_CLIENT_AUTH),
    INFRASTRUCTURE("officer", NULL),
    AUTHORITY("issuing", PROFILE_ISSUING, ISSUING_MAX),
    AUTHORITY("root", PROFILE_ROOT, ROOT_MAX),
};

const struct profile *
profile_by_name(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(table); i++) {
        if (strcmp(table[i].name, name) == 0) {
            return &table[i];
        }
    }
    return NULL;
}

const struct profile *
profile_at(size_t i)
{
    return i < ARRAY_LEN(table) ? &table[i] : NULL;
}

bool
profile_is_nf(const struct profile *profile)
{
    return profile->class == PROFILE_NF;
}

bool
profile_is_ca(const struct profile *profile)
{
    return profile->class == PROFILE_ISSUING || profile->class == PROFILE_ROOT;
}

bool
profile_takes_key(const struct profile *profile, enum pubkey_kind kind, int bits)
{
    switch (kind) {
    case PUBKEY_P256:
    case PUBKEY_P384:
        return (profile->ec_keys & 1U << kind) != 0;
    case PUBKEY_RSA:
        return profile->rsa_bits != 0 && bits >= profile->rsa_bits;
    }
    return false;
}

int
profile_check_key(const struct profile *profile, struct span spki, struct err *e)
{
    char rsa[32] = "";
    enum pubkey_kind kind;
    int bits;

    if (pubkey_bits(spki, &kind, &bits, e) != 0) {
        return -1;
    }
    if (profile_takes_key(profile, kind, bits)) {
        return 0;
    }
    if (profile->rsa_bits != 0) {
        (void)snprintf(rsa, sizeof(rsa), " RSA of %d bits or more", profile->rsa_bits);
    }
    return err_set(e, ERR_INPUT, "public key: profile %s takes%s%s%s", profile->name,
                   profile_takes_key(profile, PUBKEY_P256, 0) ? " P-256" : "",
                   profile_takes_key(profile, PUBKEY_P384, 0) ? " P-384" : "", rsa);
}
