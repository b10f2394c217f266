/* SPDX-License-Identifier: Apache-2.0 */
/* key_public.h - the public half on a token as DER SubjectPublicKeyInfo; signatures as DER. */
#pragma once

#include "pkcs11/key_policy.h"

/* Reads CKA_EC_POINT or CKA_MODULUS and CKA_PUBLIC_EXPONENT of `object`. `spki` is replaced. */
int key_public_read(struct session *, enum key_algorithm, CK_OBJECT_HANDLE object, struct buf *spki,
                    struct err *e);

/* r || s of the token (PKCS #11 v2.40 2.3.1) as ECDSA-Sig-Value (RFC 3279 2.2.3). Replaces `der`.
 */
int key_signature_der(enum key_algorithm, struct span raw, struct buf *der, struct err *e);
