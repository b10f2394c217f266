/* SPDX-License-Identifier: Apache-2.0 */
/*
 * weak_key.h - is this key too weak to be certified? What both RA and CA ask of the key of a
 * request before anything is made of it. Pure and thread-safe.
 */
#pragma once

#include "ca/x509/blocked_keys.h"
#include "ca/x509/pubkey.h"

enum weakness {
    WEAKNESS_NONE, /* or it could not be found out */
    WEAKNESS_KIND,
    WEAKNESS_SIZE,
    WEAKNESS_EXPONENT,
    WEAKNESS_SMALL_FACTOR,
    WEAKNESS_ROCA,
    WEAKNESS_CLOSE_PRIMES,
    WEAKNESS_PRIME,
    WEAKNESS_LISTED,
};

/*
 * The rules of pubkey.h, for RSA those of rsa_flaw_deep(), and the operator's list (NULL: none),
 * for a key that another parser has accepted already. -1 with ERR_INPUT and *weakness, or with
 * ERR_CRYPTO and WEAKNESS_NONE when it could not be found out. `weakness` may be NULL.
 */
int weak_key_check(struct span spki, const struct blocked_keys *, enum weakness *weakness,
                   struct err *e);

/*
 * Is a request signed with a key of the operator's list? Whoever has its private half may be
 * anybody. -1 with ERR_DENIED, or ERR_CRYPTO as above. Not asked of a revocation, which is what
 * such a key is still good for (RFC 9810 5.3.9).
 */
int weak_key_check_signer(const X509 *signer, const struct blocked_keys *, struct err *e);
