/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mutate.h - bad messages out of good ones, the same for the same seed.
 *
 * Every function replaces `out`. What cannot be done to an input (it is too short, or no DER) is
 * done by flipping bits, so each call makes something.
 */
#pragma once

#include "base/buf.h"

/* A generator of numbers; never zero. */
struct mutator {
    uint64_t state;
};

struct mutator mutator_new(uint64_t seed);
/* 0 .. bound - 1 */
size_t mutator_below(struct mutator *, size_t bound);

/* Flips 1 to 8 bits. */
int mutate_bits(struct mutator *, struct span in, struct buf *out, struct err *e);
/* The first octets only. */
int mutate_truncate(struct mutator *, struct span in, struct buf *out, struct err *e);
/* Writes another length into one element, and nothing else. */
int mutate_length(struct mutator *, struct span in, struct buf *out, struct err *e);
/* Any tag for any tag. */
int mutate_tag(struct mutator *, struct span in, struct buf *out, struct err *e);
/* The beginning of one and the end of the other. */
int mutate_splice(struct mutator *, struct span in, struct span other, struct buf *out,
                  struct err *e);
/*
 * One element, `first` or deeper, becomes none, two, another one of the same message, one of
 * `other`, empty, or gets other content or another tag; lengths around it are corrected, so that
 * what comes out is still DER. `first`: number of the element in the order of their heads, 0 the
 * outermost.
 */
int mutate_element(struct mutator *, struct span in, size_t first, struct span other,
                   struct buf *out, struct err *e);
/* How many elements there are, 512 at most; 0: no DER. */
size_t mutate_elements(struct span in);
