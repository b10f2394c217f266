/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ossl_thread.h - SHA-256 and public keys, with what each thread keeps of OpenSSL for them, because
 * it costs as much to make as to use: SHA-256 as fetched from a provider, and a key of each curve
 * that has no point yet. All of it is of the thread's library context, and released with the
 * thread. By way of ossl.h.
 */
#pragma once

#include <openssl/evp.h>

#include "base/buf.h"

enum { SHA256_SIZE = 32 };

int sha256(struct span bytes, uint8_t out[SHA256_SIZE], struct err *e);
/* Of all of them, one behind the other. */
int sha256_parts(const struct span *parts, size_t n, uint8_t out[SHA256_SIZE], struct err *e);

/* One SubjectPublicKeyInfo, nothing behind it. Never a point that is not on its curve. */
EVP_PKEY *public_key_parse(struct span spki, struct err *e) __attribute__((warn_unused_result));
