/* SPDX-License-Identifier: Apache-2.0 */
/*
 * budget.h - how often somebody may ask: token buckets in bounded memory.
 *
 * Each key has a bucket of `burst` tokens that fills again with `rate` tokens a second. A bucket
 * that is full again says nothing, and only such a one is forgotten for a newcomer: no number of
 * other keys resets anybody's bucket. While no bucket can be forgotten, newcomers share one that
 * is BUDGET_SHARED times as large and as fast; who was known before is not touched by that.
 * The time is the caller's: of clock_monotonic_ms(). Any thread.
 */
#pragma once

#include "base/buf.h"

enum {
    BUDGET_KEY_MAX = 32, /* octets */
    BUDGET_SHARED = 16,
    BUDGET_RATE_MAX = 1000000, /* a second */
    BUDGET_BURST_MAX = 1000000,
};

struct budget_limit {
    int64_t interval_us; /* a token comes each so often; 0: no limit at all */
    unsigned burst;
};

/* "100/1000": 100 a second, 1000 at once; the rate may have up to three decimals ("0.2/10"). "0" is
 * no limit. ERR_INPUT says what to write. */
int budget_limit_parse(const char *text, struct budget_limit *out, struct err *e);

struct budget;
void budget_free(struct budget *);
/* For `keys_max` keys; memory is used as keys come. */
struct budget *budget_new(const struct budget_limit *, size_t keys_max) OWNED(budget_free);
DEFINE_CLEANUP(budget_cleanup, struct budget, budget_free)

/* Takes a token; 0. Without one: the seconds, rounded up, until there is one. */
int budget_take(struct budget *, struct span key, int64_t now_ms);
/* Puts back what was taken: the one who is named did not ask. */
void budget_give_back(struct budget *, struct span key);
