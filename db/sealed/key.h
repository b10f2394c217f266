/* SPDX-License-Identifier: Apache-2.0 */
/* key.h - the values of a row's key as octets, as they stand in a seal. Private to db/sealed/. */
#pragma once

#include "db/sealed/sealed.h"

struct key {
    size_t n;
    uint8_t octets[SEALED_KEY_OCTETS];
};

static inline struct span
key_span(const struct key *key)
{
    return span_of(key->octets, key->n);
}

/* ERR_INPUT when it is too long. */
int key_encode(const struct store_value *values, size_t n, struct key *out, struct err *e);
/* Exactly `n` values, borrowed from `octets`; false: no such. */
bool key_decode(struct span octets, struct store_value *values, size_t n);
/* For people: text and numbers as they are, blobs in hex, other signs as '?'. */
enum { KEY_TEXT_SIZE = 128 };
void key_text(const struct store_value *values, size_t n, char out[KEY_TEXT_SIZE]);
