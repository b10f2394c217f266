/* SPDX-License-Identifier: Apache-2.0 */
/* lot.h - many registrations at once, in one manifest. */
#pragma once

#include "tests/unit/ra/running.h"

struct lot {
    struct buf text; /* documents, one on each line */
    struct buf manifest;
};

/* `n` documents of new network functions, of which the one with the number `bad` is none, and their
 * manifest as `signer` signs it. */
struct lot lot_new(size_t n, size_t bad, X509 *signer, EVP_PKEY *key);
/* All are good, and the registrar signs. */
struct lot lot_good(const struct running *, size_t n);
void lot_free(struct lot *);
