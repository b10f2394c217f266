/* SPDX-License-Identifier: Apache-2.0 */
/*
 * merkle.h - the Merkle tree of RFC 6962 2.1 (SHA-256): hashing, growing, proving, verifying. Pure.
 */
#pragma once

#include <stdint.h>

#include "base/buf.h"

enum {
    MERKLE_HASH = 32,
    MERKLE_LEVELS = 63,        /* sizes up to 2^62 */
    MERKLE_PROOF_MAX = 2 * 64, /* hashes in a proof */
};

struct merkle_hash {
    uint8_t octets[MERKLE_HASH];
};

struct merkle_hash merkle_leaf(struct span body);
struct merkle_hash merkle_node(const struct merkle_hash *left, const struct merkle_hash *right);
/* Constant time is not needed: hashes are public. */
bool merkle_equal(const struct merkle_hash *a, const struct merkle_hash *b);

/* The right edge of a growing tree: the roots of its full subtrees, largest first. All zero is the
 * empty tree. */
struct merkle_edge {
    uint64_t size;
    unsigned n;
    struct merkle_hash subtrees[MERKLE_LEVELS];
};

/* Told of every subtree that a leaf completes, from level 1 up; may fail. */
typedef int merkle_completed(void *arg, unsigned level, uint64_t index,
                             const struct merkle_hash *hash, struct err *e);

/* Appends one leaf hash; `completed` may be NULL. On failure the edge is as before. */
int merkle_append(struct merkle_edge *, const struct merkle_hash *leaf, merkle_completed *completed,
                  void *arg, struct err *e);
/* SHA-256 of nothing for the empty tree. */
struct merkle_hash merkle_root(const struct merkle_edge *);

/* Gives the hash of full subtree `index` of `level` (level 0: the leaf hash). */
typedef int merkle_get(void *arg, unsigned level, uint64_t index, struct merkle_hash *out,
                       struct err *e);

/* The edge of the tree of `size` leaves. */
int merkle_edge_load(struct merkle_edge *, uint64_t size, merkle_get *get, void *arg,
                     struct err *e);

struct merkle_proof {
    size_t n;
    struct merkle_hash hashes[MERKLE_PROOF_MAX];
};

/* RFC 6962 2.1.1, audit path of leaf `index` in the tree of `size`; ERR_INPUT when index >= size.
 */
int merkle_prove_inclusion(uint64_t index, uint64_t size, merkle_get *get, void *arg,
                           struct merkle_proof *, struct err *e);
/* RFC 6962 2.1.2; ERR_INPUT when from > to. */
int merkle_prove_consistency(uint64_t from, uint64_t to, merkle_get *get, void *arg,
                             struct merkle_proof *, struct err *e);

/* RFC 9162 2.1.3.2. ERR_CRYPTO when the proof does not show it. */
int merkle_verify_inclusion(uint64_t index, uint64_t size, const struct merkle_hash *leaf,
                            const struct merkle_proof *, const struct merkle_hash *root,
                            struct err *e);
/* RFC 9162 2.1.4.2. An empty tree proves nothing: from == 0 is refused. */
int merkle_verify_consistency(uint64_t from, uint64_t to, const struct merkle_proof *,
                              const struct merkle_hash *from_root,
                              const struct merkle_hash *to_root, struct err *e);
