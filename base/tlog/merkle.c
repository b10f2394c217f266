/* SPDX-License-Identifier: Apache-2.0 */
#include "base/tlog/merkle.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/ossl.h"

/* RFC 6962 2.1: the prefixes keep leaves and nodes apart. */
static const uint8_t leaf_prefix = 0;
static const uint8_t node_prefix = 1;

/* SHA-256 over the parts. Only no memory can make it fail, and then the program ends (base/mem.h).
 */
static struct merkle_hash
hash_parts(const struct span *parts, size_t n)
{
    struct merkle_hash hash;
    struct err e;

    if (sha256_parts(parts, n, hash.octets, &e) != 0) {
        abort();
    }
    return hash;
}

struct merkle_hash
merkle_leaf(struct span body)
{
    const struct span parts[] = {span_of(&leaf_prefix, 1), body};

    return hash_parts(parts, ARRAY_LEN(parts));
}

struct merkle_hash
merkle_node(const struct merkle_hash *left, const struct merkle_hash *right)
{
    const struct span parts[] = {
        span_of(&node_prefix, 1),
        span_of(left->octets, MERKLE_HASH),
        span_of(right->octets, MERKLE_HASH),
    };

    return hash_parts(parts, ARRAY_LEN(parts));
}

bool
merkle_equal(const struct merkle_hash *a, const struct merkle_hash *b)
{
    return memcmp(a->octets, b->octets, MERKLE_HASH) == 0;
}

int
merkle_append(struct merkle_edge *edge, const struct merkle_hash *leaf, merkle_completed *completed,
              void *arg, struct err *e)
{
    struct merkle_hash hash = *leaf;
    unsigned n = edge->n;
    unsigned level = 0;

    /* As in binary counting: each trailing one of the size is a subtree that is now completed. */
    for (uint64_t bits = edge->size; (bits & 1) != 0; bits >>= 1) {
        hash = merkle_node(&edge->subtrees[--n], &hash);
        level++;
        if (completed != NULL && completed(arg, level, edge->size >> level, &hash, e) != 0) {
            return -1;
        }
    }
    assert(n < MERKLE_LEVELS);
    edge->subtrees[n] = hash;
    edge->n = n + 1;
    edge->size++;
    return 0;
}

struct merkle_hash
merkle_root(const struct merkle_edge *edge)
{
    struct merkle_hash root;

    if (edge->n == 0) {
        return hash_parts(NULL, 0);
    }
    root = edge->subtrees[edge->n - 1];
    for (unsigned i = edge->n - 1; i > 0; i--) {
        root = merkle_node(&edge->subtrees[i - 1], &root);
    }
    return root;
}

int
merkle_edge_load(struct merkle_edge *edge, uint64_t size, merkle_get *get, void *arg, struct err *e)
{
    *edge = (struct merkle_edge){.size = size};
    for (unsigned level = MERKLE_LEVELS; level-- > 0;) {
        if ((size >> level & 1) != 0 &&
            get(arg, level, (size >> level) - 1, &edge->subtrees[edge->n++], e) != 0) {
            return -1;
        }
    }
    return 0;
}

/* ---- proofs ---- */

struct prover {
    merkle_get *get;
    void *arg;
    struct merkle_proof *proof;
};

/* Largest power of two below n (n > 1), as an exponent. */
static unsigned
split_level(uint64_t n)
{
    return 63U - (unsigned)__builtin_clzll(n - 1);
}

/* Root of the `size` leaves from `begin`, which is a multiple of a power of two >= size. */
static int
subtree_root(const struct prover *p, uint64_t begin, uint64_t size, struct merkle_hash *out,
             struct err *e)
{
    struct merkle_edge edge = {0};

    for (unsigned level = MERKLE_LEVELS; level-- > 0;) {
        if ((size >> level & 1) != 0) {
            if (p->get(p->arg, level, begin >> level, &edge.subtrees[edge.n++], e) != 0) {
                return -1;
            }
            begin += (uint64_t)1 << level;
        }
    }
    *out = merkle_root(&edge);
    return 0;
}

static int
add_subtree(const struct prover *p, uint64_t begin, uint64_t size, struct err *e)
{
    assert(p->proof->n < MERKLE_PROOF_MAX);
    return subtree_root(p, begin, size, &p->proof->hashes[p->proof->n++], e);
}

/* PATH() and PROOF() go from the root down and list from the leaf up. */
static void
reverse(struct merkle_proof *proof)
{
    for (size_t i = 0; i < proof->n / 2; i++) {
        struct merkle_hash hash = proof->hashes[i];

        proof->hashes[i] = proof->hashes[proof->n - 1 - i];
        proof->hashes[proof->n - 1 - i] = hash;
    }
}

int
merkle_prove_inclusion(uint64_t index, uint64_t size, merkle_get *get, void *arg,
                       struct merkle_proof *proof, struct err *e)
{
    const struct prover p = {get, arg, proof};
    uint64_t begin = 0;

    proof->n = 0;
    if (index >= size) {
        return err_set(e, ERR_INPUT, "leaf %llu is not in a tree of %llu",
                       (unsigned long long)index, (unsigned long long)size);
    }
    while (size > 1) {
        uint64_t left = (uint64_t)1 << split_level(size);
        int result;

        if (index - begin < left) {
            result = add_subtree(&p, begin + left, size - left, e);
            size = left;
        } else {
            result = add_subtree(&p, begin, left, e);
            begin += left;
            size -= left;
        }
        if (result != 0) {
            return -1;
        }
    }
    reverse(proof);
    return 0;
}

int
merkle_prove_consistency(uint64_t from, uint64_t to, merkle_get *get, void *arg,
                         struct merkle_proof *proof, struct err *e)
{
    const struct prover p = {get, arg, proof};
    uint64_t begin = 0;
    uint64_t size = to;
    bool whole = true; /* the old tree is a subtree whose root the verifier knows */

    proof->n = 0;
    if (from > to) {
        return err_set(e, ERR_INPUT, "the older tree has %llu leaves, the newer %llu",
                       (unsigned long long)from, (unsigned long long)to);
    }
    if (from == 0 || from == to) {
        return 0;
    }
    while (from - begin != size) {
        uint64_t left = (uint64_t)1 << split_level(size);
        int result;

        if (from - begin <= left) {
            result = add_subtree(&p, begin + left, size - left, e);
            size = left;
        } else {
            result = add_subtree(&p, begin, left, e);
            begin += left;
            size -= left;
            whole = false;
        }
        if (result != 0) {
            return -1;
        }
    }
    if (!whole && add_subtree(&p, begin, size, e) != 0) {
        return -1;
    }
    reverse(proof);
    return 0;
}

/* ---- verification ---- */

int
merkle_verify_inclusion(uint64_t index, uint64_t size, const struct merkle_hash *leaf,
                        const struct merkle_proof *proof, const struct merkle_hash *root,
                        struct err *e)
{
    uint64_t fn = index;
    uint64_t sn = size - 1;
    struct merkle_hash r = *leaf;

    if (index >= size) {
        return err_set(e, ERR_CRYPTO, "inclusion: leaf %llu is not in a tree of %llu",
                       (unsigned long long)index, (unsigned long long)size);
    }
    for (size_t i = 0; i < proof->n; i++) {
        if (sn == 0) {
            return err_set(e, ERR_CRYPTO, "inclusion: the proof is too long");
        }
        if ((fn & 1) != 0 || fn == sn) {
            r = merkle_node(&proof->hashes[i], &r);
            while ((fn & 1) == 0 && fn != 0) {
                fn >>= 1;
                sn >>= 1;
            }
        } else {
            r = merkle_node(&r, &proof->hashes[i]);
        }
        fn >>= 1;
        sn >>= 1;
    }
    if (sn != 0) {
        return err_set(e, ERR_CRYPTO, "inclusion: the proof is too short");
    }
    if (!merkle_equal(&r, root)) {
        return err_set(e, ERR_CRYPTO, "inclusion: the proof leads to another root");
    }
    return 0;
}

/* The cases of RFC 9162 2.1.4.2 without a walk; *decided tells whether it was one. */
static int
consistency_trivial(uint64_t from, uint64_t to, const struct merkle_proof *proof,
                    const struct merkle_hash *from_root, const struct merkle_hash *to_root,
                    bool *decided, struct err *e)
{
    *decided = true;
    if (from > to) {
        return err_set(e, ERR_CRYPTO, "consistency: the older tree is larger");
    }
    if (from == 0) {
        return err_set(e, ERR_CRYPTO, "consistency: nothing follows from an empty tree");
    }
    if (from == to && proof->n != 0) {
        return err_set(e, ERR_CRYPTO, "consistency: equal sizes need no proof");
    }
    if (from == to) {
        return merkle_equal(from_root, to_root)
                   ? 0
                   : err_set(e, ERR_CRYPTO, "consistency: equal sizes, different roots");
    }
    if (proof->n == 0) {
        return err_set(e, ERR_CRYPTO, "consistency: no proof");
    }
    *decided = false;
    return 0;
}

int
merkle_verify_consistency(uint64_t from, uint64_t to, const struct merkle_proof *proof,
                          const struct merkle_hash *from_root, const struct merkle_hash *to_root,
                          struct err *e)
{
    bool decided;
    int result = consistency_trivial(from, to, proof, from_root, to_root, &decided, e);
    uint64_t fn = from - 1;
    uint64_t sn = to - 1;
    struct merkle_hash fr;
    struct merkle_hash sr;
    size_t i = 0;

    if (decided) {
        return result;
    }
    while ((fn & 1) != 0) {
        fn >>= 1;
        sn >>= 1;
    }
    fr = (from & (from - 1)) == 0 ? *from_root : proof->hashes[i++];
    sr = fr;
    for (; i < proof->n; i++) {
        const struct merkle_hash *c = &proof->hashes[i];

        if (sn == 0) {
            return err_set(e, ERR_CRYPTO, "consistency: the proof is too long");
        }
        if ((fn & 1) != 0 || fn == sn) {
            fr = merkle_node(c, &fr);
            sr = merkle_node(c, &sr);
            while ((fn & 1) == 0 && fn != 0) {
                fn >>= 1;
                sn >>= 1;
            }
        } else {
            sr = merkle_node(&sr, c);
        }
        fn >>= 1;
        sn >>= 1;
    }
    if (sn != 0) {
        return err_set(e, ERR_CRYPTO, "consistency: the proof is too short");
    }
    if (!merkle_equal(&fr, from_root) || !merkle_equal(&sr, to_root)) {
        return err_set(e, ERR_CRYPTO, "consistency: the proof leads to another root");
    }
    return 0;
}
