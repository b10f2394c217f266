/* SPDX-License-Identifier: Apache-2.0 */
/*
 * signed.h - SEQUENCE { to-be-signed, AlgorithmIdentifier, BIT STRING }: put together, verified
 * before anybody sees it, and taken apart again. Pure and thread-safe.
 */
#pragma once

#include "base/ossl.h"

enum { SIGNED_OVERHEAD = 1024 }; /* give `out` the size of the TBS plus this as its maximum */

enum signed_kind { SIGNED_CERTIFICATE, SIGNED_CRL, SIGNED_CSR };

/*
 * Appends the DER of the signed object. The algorithm is the one of `key`
 * (pubkey_signature_algorithm); the TBS must name the same inside (RFC 5280 4.1.1.2), except in a
 * CSR. ERR_CRYPTO when the signature does not verify under `key`: then nothing is appended.
 */
int signed_assemble(enum signed_kind, struct span tbs, struct span signature, EVP_PKEY *key,
                    struct buf *out, struct err *e);

/* The TBS octets inside a signed object, borrowed. ERR_INPUT when it is not exactly one such
 * SEQUENCE. */
int signed_tbs(struct span der, struct span *tbs, struct err *e);

/* The object is well formed, its TBS octets equal `tbs`, and the signature verifies. ERR_CRYPTO. */
int signed_verify(enum signed_kind, struct span der, struct span tbs, EVP_PKEY *key, struct err *e);
