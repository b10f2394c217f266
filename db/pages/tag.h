/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tag.h - the keys that come from the one of the token, and what is made with them: HMAC-SHA-256,
 * the first 16 octets. Private to db/pages/. One thread at a time.
 */
#pragma once

#include <openssl/evp.h>

#include "base/buf.h"

enum { TAG_SIZE = 16 };

/* All zero: there is none. */
struct tag {
    uint8_t octets[TAG_SIZE];
};

struct tag_keys {
    EVP_MAC_CTX *page; /* a page with its number, wherever it is */
    EVP_MAC_CTX *map;  /* FILE-seal */
    EVP_MAC_CTX *wal;  /* header and frames of FILE-wal */
};

/* Of the default library context of this thread. An empty key: a random one, which nobody has
 * again. Free them also after -1. */
int tag_keys_make(struct tag_keys *, struct span key, struct err *e);
void tag_keys_free(struct tag_keys *);

/* Over all parts, one behind the other: the caller sees to it that they cannot be parted otherwise.
 * False when OpenSSL fails. */
bool tag_make(EVP_MAC_CTX *key, const struct span *parts, size_t n, struct tag *out);
/* Of the page with this number, from 0. */
bool tag_page(const struct tag_keys *, uint64_t page, struct span content, struct tag *out);

static inline struct span
tag_span(const struct tag *tag)
{
    return span_of(tag->octets, sizeof(tag->octets));
}

bool tag_is_none(const struct tag *);
/* In constant time. */
bool tag_equal(const struct tag *, const struct tag *);

/* Numbers as they stand in the files: big endian. */
void octets_put(uint8_t *out, uint64_t number, size_t octets);
uint64_t octets_get(const uint8_t *from, size_t octets);
