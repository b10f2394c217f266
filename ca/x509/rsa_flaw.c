/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/x509/rsa_flaw.h"

enum {
    EXPONENT_OCTETS_MIN = 3, /* the least odd number of three octets is 65537 */
    EXPONENT_OCTETS_MAX = 8, /* OpenSSL verifies with no larger one above 3072 bits */
    TRIAL_MAX = 1000,
    ROCA_PRIME_MAX = 167, /* as the published detector */
    FERMAT_ROUNDS = 100,  /* CA/Browser Forum, Baseline Requirements 6.1.1.3 */
};

static void
destroy_ctx(BN_CTX **ctx)
{
    BN_CTX_free(*ctx);
}

static int
refuse(enum rsa_flaw *flaw, enum rsa_flaw what, struct err *e, const char *text)
{
    *flaw = what;
    return err_set(e, ERR_INPUT, "public key: %s", text);
}

static bool
is_prime(unsigned n)
{
    for (unsigned d = 2; d * d <= n; d++) {
        if (n % d == 0) {
            return false;
        }
    }
    return n > 1;
}

/* Is `value` a power of 65537 modulo the prime p? */
static bool
is_power_of_f4(unsigned value, unsigned p)
{
    unsigned generator = 65537 % p;
    unsigned power = 1;

    for (unsigned i = 0; i < p; i++) {
        if (power == value) {
            return true;
        }
        power = power * generator % p;
    }
    return false;
}

static int
small_primes_check(const BIGNUM *n, enum rsa_flaw *flaw, struct err *e)
{
    bool roca = true;

    for (unsigned p = 2; p < TRIAL_MAX; p++) {
        BN_ULONG rest;

        if (!is_prime(p)) {
            continue;
        }
        rest = BN_mod_word(n, p);
        if (rest == 0) {
            *flaw = RSA_FLAW_SMALL_FACTOR;
            return err_set(e, ERR_INPUT, "public key: RSA modulus is divisible by %u", p);
        }
        if (p > 2 && p <= ROCA_PRIME_MAX && !is_power_of_f4((unsigned)rest, p)) {
            roca = false;
        }
    }
    return roca ? refuse(flaw, RSA_FLAW_ROCA, e,
                         "RSA modulus of a weak generator (CVE-2017-15361); make a new key on "
                         "another device")
                : 0;
}

/* ---- close primes ---- */

/* The integer square root: Newton's method from above falls until it is there. */
static int
fall_to_root(const BIGNUM *n, BIGNUM *root, BIGNUM *next, BN_CTX *ctx)
{
    do {
        if (BN_div(next, NULL, n, root, ctx) != 1 || BN_add(next, next, root) != 1 ||
            BN_rshift1(next, next) != 1) {
            return -1;
        }
        if (BN_cmp(next, root) >= 0) {
            return 0;
        }
    } while (BN_copy(root, next) != NULL);
    return -1;
}

static int
root_of(const BIGNUM *n, BIGNUM *root, BN_CTX *ctx)
{
    BIGNUM *next;
    int result = -1;

    BN_CTX_start(ctx);
    next = BN_CTX_get(ctx);
    if (next != NULL && BN_lshift(root, BN_value_one(), (BN_num_bits(n) + 1) / 2) == 1) {
        result = fall_to_root(n, root, next, ctx);
    }
    BN_CTX_end(ctx);
    return result;
}

/* 1, 0, or -1 when the memory ran out. */
static int
is_square(const BIGNUM *n, BN_CTX *ctx)
{
    /* Bit i: a square may leave i modulo 64; most numbers need no root. */
    static const uint64_t residues = 0x0202021202030213ULL;
    BIGNUM *root;
    int result = -1;

    if ((residues >> BN_mod_word(n, 64) & 1) == 0) {
        return 0;
    }
    if (BN_is_zero(n)) {
        return 1;
    }
    BN_CTX_start(ctx);
    root = BN_CTX_get(ctx);
    if (root != NULL && root_of(n, root, ctx) == 0 && BN_sqr(root, root, ctx) == 1) {
        result = BN_cmp(root, n) == 0 ? 1 : 0;
    }
    BN_CTX_end(ctx);
    return result;
}

/* n = a^2 - b^2 = (a + b)(a - b), where `a` begins at the root of n and `b` is to be whole. 1
 * found, 0 not, -1 no memory. */
static int
fermat_rounds(const BIGNUM *n, BIGNUM *a, BIGNUM *b2, BN_CTX *ctx)
{
    int found = 0;

    if (root_of(n, a, ctx) != 0 || BN_sqr(b2, a, ctx) != 1 ||
        (BN_cmp(b2, n) < 0 && BN_add_word(a, 1) != 1)) {
        return -1;
    }
    for (int i = 0; found == 0 && i < FERMAT_ROUNDS; i++) {
        if (BN_sqr(b2, a, ctx) != 1 || BN_sub(b2, b2, n) != 1 || BN_add_word(a, 1) != 1) {
            return -1;
        }
        found = is_square(b2, ctx);
    }
    return found;
}

static int
close_primes_check(const BIGNUM *n, BN_CTX *ctx, enum rsa_flaw *flaw, struct err *e)
{
    CLEANUP(bn_cleanup) BIGNUM *a = BN_new();
    CLEANUP(bn_cleanup) BIGNUM *b2 = BN_new();
    int found = a == NULL || b2 == NULL ? -1 : fermat_rounds(n, a, b2, ctx);

    if (found < 0) {
        return ossl_err(e, ERR_CRYPTO, "RSA modulus");
    }
    return found == 0 ? 0
                      : refuse(flaw, RSA_FLAW_CLOSE_PRIMES, e,
                               "RSA modulus whose primes are so close that Fermat's method finds "
                               "them; make a new key with another generator");
}

/* ---- prime modulus ---- */

/* Each prime p with n = p^k divides 2^n - 2 (Fermat), and so does hardly a factor of another n: one
 * exponentiation for every n, whereas a test of primality is the longer the more it succeeds. */
static int
prime_check(const BIGNUM *n, BN_CTX *ctx, enum rsa_flaw *flaw, struct err *e)
{
    CLEANUP(bn_cleanup) BIGNUM *two = BN_new();
    CLEANUP(bn_cleanup) BIGNUM *power = BN_new();

    if (two == NULL || power == NULL || BN_set_word(two, 2) != 1 ||
        BN_mod_exp(power, two, n, n, ctx) != 1 || BN_mod_sub(power, power, two, n, ctx) != 1 ||
        BN_gcd(power, power, n, ctx) != 1) {
        return ossl_err(e, ERR_CRYPTO, "RSA modulus");
    }
    return BN_is_one(power) ? 0
                            : refuse(flaw, RSA_FLAW_PRIME, e,
                                     "RSA modulus that is a prime, or a power of one; make a new "
                                     "key with another generator");
}

/* ---- the whole ---- */

static int
exponent_check(struct span exponent, enum rsa_flaw *flaw, struct err *e)
{
    return exponent.n < EXPONENT_OCTETS_MIN || exponent.n > EXPONENT_OCTETS_MAX ||
                   (exponent.p[exponent.n - 1] & 1) == 0
               ? refuse(flaw, RSA_FLAW_EXPONENT, e, "RSA exponent must be odd, 65537..2^64")
               : 0;
}

static int
check(struct span modulus, struct span exponent, bool deep, enum rsa_flaw *flaw, struct err *e)
{
    CLEANUP(bn_cleanup) BIGNUM *n = NULL;
    CLEANUP(destroy_ctx) BN_CTX *ctx = NULL;
    int bits;

    *flaw = RSA_FLAW_NONE;
    if (exponent_check(exponent, flaw, e) != 0) {
        return -1;
    }
    n = BN_bin2bn(modulus.p, (int)modulus.n, NULL);
    ctx = BN_CTX_new();
    if (n == NULL || ctx == NULL) {
        return ossl_err(e, ERR_CRYPTO, "RSA modulus");
    }
    bits = BN_num_bits(n);
    if (bits < RSA_FLAW_BITS_MIN || bits > RSA_FLAW_BITS_MAX) {
        *flaw = RSA_FLAW_SIZE;
        return err_set(e, ERR_INPUT, "public key: RSA of %d bits, must be %d to %d", bits,
                       RSA_FLAW_BITS_MIN, RSA_FLAW_BITS_MAX);
    }
    if (small_primes_check(n, flaw, e) != 0) {
        return -1;
    }
    return deep && (close_primes_check(n, ctx, flaw, e) != 0 || prime_check(n, ctx, flaw, e) != 0)
               ? -1
               : 0;
}

int
rsa_flaw_quick(struct span modulus, struct span exponent, enum rsa_flaw *flaw, struct err *e)
{
    return check(modulus, exponent, false, flaw, e);
}

int
rsa_flaw_deep(struct span modulus, struct span exponent, enum rsa_flaw *flaw, struct err *e)
{
    return check(modulus, exponent, true, flaw, e);
}
