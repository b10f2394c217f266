/* SPDX-License-Identifier: Apache-2.0 */
/*
 * identity.h - initial certificates of network functions, one each, as a vendor puts them there:
 * a file of them in PEM, each with its private key behind it.
 */
#pragma once

#include "base/ossl.h"

struct identity {
    X509 *certificate;
    EVP_PKEY *key;
};
void identities_free(struct identity *, size_t n);
/* As many, under a CA that is made for them, into a new file; the SHA-256 of each, a line each, on
 * stdout: what a registration pins. */
int identities_make(const char *path, size_t n, struct err *e);
/* The first `n` of the file; NULL: it has fewer. */
struct identity *identities_load(const char *path, size_t n, struct err *e);
