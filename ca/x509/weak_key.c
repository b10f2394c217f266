/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/x509/weak_key.h"

static enum weakness
weakness_of(enum rsa_flaw flaw)
{
    switch (flaw) {
    case RSA_FLAW_NONE:
        return WEAKNESS_NONE;
    case RSA_FLAW_SIZE:
        return WEAKNESS_SIZE;
    case RSA_FLAW_EXPONENT:
        return WEAKNESS_EXPONENT;
    case RSA_FLAW_SMALL_FACTOR:
        return WEAKNESS_SMALL_FACTOR;
    case RSA_FLAW_ROCA:
        return WEAKNESS_ROCA;
    case RSA_FLAW_CLOSE_PRIMES:
        return WEAKNESS_CLOSE_PRIMES;
    case RSA_FLAW_PRIME:
        return WEAKNESS_PRIME;
    }
    return WEAKNESS_NONE;
}

static int
rsa_check(struct span spki, enum weakness *weakness, struct err *e)
{
    struct span modulus;
    struct span exponent;
    enum rsa_flaw flaw = RSA_FLAW_NONE;

    if (pubkey_rsa(spki, &modulus, &exponent, e) != 0) {
        *weakness = WEAKNESS_KIND;
        return -1;
    }
    if (rsa_flaw_deep(modulus, exponent, &flaw, e) != 0) {
        *weakness = weakness_of(flaw);
        return -1;
    }
    return 0;
}

static int
list_check(struct span spki, const struct blocked_keys *blocked, enum weakness *weakness,
           struct err *e)
{
    uint8_t hash[SHA256_SIZE];

    if (blocked == NULL) {
        return 0;
    }
    if (sha256(spki, hash, e) != 0) {
        return -1;
    }
    if (blocked_keys_has(blocked, hash)) {
        *weakness = WEAKNESS_LISTED;
        return err_set(e, ERR_INPUT, "public key: it is one of blocked_keys");
    }
    return 0;
}

int
weak_key_check(struct span spki, const struct blocked_keys *blocked, enum weakness *weakness,
               struct err *e)
{
    enum weakness unwanted;

    if (weakness == NULL) {
        weakness = &unwanted;
    }
    *weakness = WEAKNESS_NONE;
    if (list_check(spki, blocked, weakness, e) != 0) {
        return -1;
    }
    return pubkey_is_ec(spki) ? 0 : rsa_check(spki, weakness, e);
}

int
weak_key_check_signer(const X509 *signer, const struct blocked_keys *blocked, struct err *e)
{
    uint8_t hash[SHA256_SIZE];

    if (blocked == NULL) {
        return 0;
    }
    if (certificate_key_hash(signer, hash, e) != 0) {
        e->code = ERR_CRYPTO;
        return -1;
    }
    if (blocked_keys_has(blocked, hash)) {
        return err_set(e, ERR_DENIED, "signed with a key that is one of blocked_keys");
    }
    return 0;
}
