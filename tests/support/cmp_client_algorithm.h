/* SPDX-License-Identifier: Apache-2.0 */
/* cmp_client_algorithm.h - how the client of cmp_client.h signs, and what it calls that. */
#pragma once

#include <openssl/evp.h>

#include "base/buf.h"
#include "ca/cmp/protection/mac.h"

/* A server's answer has the parameters that this client chose. */
extern const struct cmp_mac_limits cmp_client_any_count;

/* The AlgorithmIdentifier of a signature with this key; and that signature. */
int cmp_client_signature_algorithm(const EVP_PKEY *, const EVP_MD *, struct buf *out,
                                   struct err *e);
int cmp_client_sign(EVP_PKEY *, const EVP_MD *, struct span data, struct buf *out, struct err *e);
