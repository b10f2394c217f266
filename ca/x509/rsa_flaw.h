/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rsa_flaw.h - what the public half alone shows to be wrong with an RSA key. Pure and thread-safe.
 */
#pragma once

#include "base/ossl.h"

enum {
    RSA_FLAW_BITS_MIN = 2048,
    RSA_FLAW_BITS_MAX = 8192, /* bounds the work of one verification, and of these checks */
};

enum rsa_flaw {
    RSA_FLAW_NONE,
    RSA_FLAW_SIZE,         /* fewer or more bits than the limits above */
    RSA_FLAW_EXPONENT,     /* even, below 65537 or above 2^64 */
    RSA_FLAW_SMALL_FACTOR, /* a prime below 1000 divides the modulus */
    RSA_FLAW_ROCA,         /* the generator of CVE-2017-15361 made it (Nemec et al., CCS 2017) */
    RSA_FLAW_CLOSE_PRIMES, /* 100 rounds of Fermat's method factor it; so of a square, too */
    RSA_FLAW_PRIME,        /* the modulus is a prime, or a power of one */
};

/*
 * `modulus` and `exponent` are the octets of positive numbers. Both: -1 with ERR_INPUT, the reason
 * and *flaw; -1 with ERR_CRYPTO and RSA_FLAW_NONE when it could not be found out.
 *
 * quick:  size, exponent, small factor and ROCA; less than the verification of a signature.
 * deep:   these, and then close primes and a prime modulus, which cost about as much as a signature
 *         of such a key: for keys that are to be certified.
 */
int rsa_flaw_quick(struct span modulus, struct span exponent, enum rsa_flaw *flaw, struct err *e);
int rsa_flaw_deep(struct span modulus, struct span exponent, enum rsa_flaw *flaw, struct err *e);
