/* SPDX-License-Identifier: Apache-2.0 */
/* ra.h - an RA with a certificate, as the CA recorded it, and what it signs. Everything here fails
 * the test when it cannot. */
#pragma once

#include "base/ossl.h"
#include "db/ledger/leaf.h"

struct audit_ra {
    EVP_PKEY *key;
    X509 *certificate;
    char *serial;
    uint8_t key_hash[SHA256_SIZE];
};

/* Takes the key. */
struct audit_ra audit_ra_new(EVP_PKEY *, long serial, time_t not_before, time_t not_after);
void audit_ra_end(struct audit_ra *);
/* By which a head names it. */
void audit_ra_key_hash(EVP_PKEY *, uint8_t hash[SHA256_SIZE]);
/* The leaf's signature, over the text. other_digest: with one that does not go with the key. */
void audit_ra_sign(EVP_PKEY *, bool other_digest, struct span text, struct leaf *);
