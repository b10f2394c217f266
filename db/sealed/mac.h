/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mac.h - the three keys that come from the one of the token, and HMAC-SHA-256 under them. Private
 * to db/sealed/. One thread at a time.
 */
#pragma once

#include <openssl/evp.h>

#include "base/buf.h"

enum { MAC_SIZE = 32 };

/* Each key has one use, and each of its uses begins with another octet. */
struct mac_keys {
    EVP_MAC_CTX *row;  /* what a row is */
    EVP_MAC_CTX *sum;  /* terms of sums, and numbers of buckets */
    EVP_MAC_CTX *head; /* the head */
};

/* Of the default library context of this thread. Free them also after -1. */
int mac_keys_make(struct mac_keys *, struct span key, struct err *e);
void mac_keys_free(struct mac_keys *);

/* mac_begin(), any mac_add_...(), mac_end(); one at a time under each key. A failure in between is
 * told by the last one. */
struct mac {
    EVP_MAC_CTX *ctx;
    bool failed;
};
void mac_begin(struct mac *, EVP_MAC_CTX *key);
void mac_add(struct mac *, struct span bytes);
/* As 1, 2, 4 or 8 octets, big endian. */
void mac_add_int(struct mac *, uint64_t number, size_t octets);
int mac_end(struct mac *, uint8_t out[MAC_SIZE], struct err *e);

/* In constant time. */
bool mac_equal(const uint8_t a[MAC_SIZE], const uint8_t b[MAC_SIZE]);
