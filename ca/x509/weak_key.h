/* SPDX-License-Identifier: Apache-2.0 */
/*
 * weak_key.h - is this key too weak to be certified? What both RA and CA ask of the key of a
 * request before anything is made of it. Pure and thread-safe.
 */
#pragma once

#include "ca/x509/blocked_keys.h"
#include "ca/x509/pubkey.h"

/*
 * The rules of pubkey.h, for RSA those of rsa_flaw_deep(), and the operator's list (NULL: none),
 * for a key that another parser has accepted already. -1 with ERR_INPUT, the reason in `e`, and in
 * *phrase one line for the peer that says what to change (borrowed, for ever). ERR_CRYPTO, and
 * *phrase NULL, when it could not be found out. `phrase` may be NULL.
 */
int weak_key_check(struct span spki, const struct blocked_keys *, const char **phrase,
                   struct err *e);

/*
 * Is a request signed with a key of the operator's list? Whoever has its private half may be
 * anybody. -1 with ERR_DENIED and *phrase, or ERR_CRYPTO as above. Not asked of a revocation, which
 * is what such a key is still good for (RFC 9810 5.3.9).
 */
int weak_key_check_signer(const X509 *signer, const struct blocked_keys *, const char **phrase,
                          struct err *e);
