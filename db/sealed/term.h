/* SPDX-License-Identifier: Apache-2.0 */
/*
 * term.h - the terms of sums. A sum is the XOR of the term of its nonce and one for each element of
 * a set that has none twice. Private to db/sealed/.
 */
#pragma once

#include <string.h>

#include "db/sealed/context.h"

/* What an HMAC under the key of sums is of, so that none is of two things. */
enum {
    TERM_BUCKET_NONCE, /* before.c */
    TERM_SEAL,
    TERM_HEAD_NONCE,
    TERM_BUCKET, /* before.c */
    TERM_OWNER,
};

/* Each is added to `sum`, or taken out again. */
int term_seal(const struct sealed *, const struct seal *, unsigned table, struct span key,
              uint8_t sum[SUM_SIZE], struct err *e);
int term_head_nonce(const struct sealed *, const uint8_t nonce[NONCE_SIZE], uint8_t sum[SUM_SIZE],
                    struct err *e);
/* Ends the MAC that is a term. */
int term_end(struct mac *, uint8_t sum[SUM_SIZE], struct err *e);

static inline void
sum_add(uint8_t sum[SUM_SIZE], const uint8_t term[SUM_SIZE])
{
    for (size_t i = 0; i < SUM_SIZE; i++) {
        sum[i] ^= term[i];
    }
}

static inline bool
sum_is_zero(const uint8_t sum[SUM_SIZE])
{
    static const uint8_t zero[SUM_SIZE];

    return memcmp(sum, zero, SUM_SIZE) == 0;
}
