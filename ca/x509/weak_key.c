/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/x509/weak_key.h"

static const char *
phrase_of(enum rsa_flaw flaw)
{
    switch (flaw) {
    case RSA_FLAW_NONE:
        return NULL;
    case RSA_FLAW_SIZE:
        return "the RSA key must have 2048 to 8192 bits";
    case RSA_FLAW_EXPONENT:
        return "weak key: the RSA exponent must be odd, from 65537 to 2^64";
    case RSA_FLAW_SMALL_FACTOR:
        return "weak key: the RSA modulus has a small factor; make a new key";
    case RSA_FLAW_ROCA:
        return "weak key: its generator has the flaw ROCA (CVE-2017-15361); make it elsewhere";
    case RSA_FLAW_CLOSE_PRIMES:
        return "weak key: the primes of the RSA modulus are too close; make it elsewhere";
    case RSA_FLAW_PRIME:
        return "weak key: the RSA modulus is a prime or a power of one; make it elsewhere";
    }
    return NULL;
}

static int
rsa_check(struct span spki, const char **phrase, struct err *e)
{
    struct span modulus;
    struct span exponent;
    enum rsa_flaw flaw = RSA_FLAW_NONE;

    if (pubkey_rsa(spki, &modulus, &exponent, e) != 0) {
        *phrase = "the key is neither P-256 nor P-384 (named curve, uncompressed) nor RSA";
        return -1;
    }
    if (rsa_flaw_deep(modulus, exponent, &flaw, e) != 0) {
        *phrase = phrase_of(flaw);
        return -1;
    }
    return 0;
}

static int
list_check(struct span spki, const struct blocked_keys *blocked, const char **phrase, struct err *e)
{
    uint8_t hash[SHA256_SIZE];

    if (blocked == NULL) {
        return 0;
    }
    if (sha256(spki, hash, e) != 0) {
        return -1;
    }
    if (blocked_keys_has(blocked, hash)) {
        *phrase = "weak key: it is on the list of keys that others know; make a new one";
        return err_set(e, ERR_INPUT, "public key: it is one of blocked_keys");
    }
    return 0;
}

int
weak_key_check(struct span spki, const struct blocked_keys *blocked, const char **phrase,
               struct err *e)
{
    const char *unwanted;

    if (phrase == NULL) {
        phrase = &unwanted;
    }
    *phrase = NULL;
    if (list_check(spki, blocked, phrase, e) != 0) {
        return -1;
    }
    return pubkey_is_ec(spki) ? 0 : rsa_check(spki, phrase, e);
}

int
weak_key_check_signer(const X509 *signer, const struct blocked_keys *blocked, const char **phrase,
                      struct err *e)
{
    CLEANUP(buf_free) struct buf spki = BUF_INIT(PUBKEY_SPKI_MAX);
    uint8_t hash[SHA256_SIZE];

    if (blocked == NULL) {
        return 0;
    }
    if (OSSL_ENCODE(X509_PUBKEY, X509_get_X509_PUBKEY(signer), &spki, e) != 0 ||
        sha256(buf_span(&spki), hash, e) != 0) {
        e->code = ERR_CRYPTO;
        return -1;
    }
    if (blocked_keys_has(blocked, hash)) {
        *phrase = "the key that signs is on the list of keys that others know; it proves nothing";
        return err_set(e, ERR_DENIED, "signed with a key that is one of blocked_keys");
    }
    return 0;
}
