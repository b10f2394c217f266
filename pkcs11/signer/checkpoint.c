/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A log that never shows two histories, and no leaves that nobody has: size and root are not what
 * the parent says, but what its leaves give, on top of the tree that was signed last.
 *
 * The journal has size and root of that one. Its right edge comes from the parent: only the true
 * one has this root, so it need not be kept. The parent may begin further back, when it did not
 * store what was signed last; then the leaves must lead through that.
 */
#include "base/tlog/checkpoint.h"

#include <inttypes.h>
#include <string.h>

#include "base/ossl.h"
#include "pkcs11/client/evidence.h"
#include "pkcs11/signer/object.h"

static int
check_root(const struct merkle_edge *edge, const struct tree_head *last, struct err *e)
{
    const struct merkle_hash root = merkle_root(edge);

    return memcmp(root.octets, last->root, MERKLE_HASH) == 0
               ? 0
               : err_set(e, ERR_DENIED, "fork: another root for size %" PRIu64, last->size);
}

static struct merkle_hash
take_hash(struct span *hashes)
{
    struct merkle_hash hash;

    memcpy(hash.octets, hashes->p, MERKLE_HASH);
    *hashes = span_of(hashes->p + MERKLE_HASH, hashes->n - MERKLE_HASH);
    return hash;
}

/* The right edge with which the leaves begin; `hashes` are the leaves then. */
static int
take_edge(struct growth *g, const struct tree_head *last, struct merkle_edge *edge, struct err *e)
{
    const uint64_t signed_size = last == NULL ? 0 : last->size;
    const size_t n = (size_t)__builtin_popcountll(g->from);
    size_t leaves;

    if (g->from >> GROWTH_EDGE_MAX != 0) {
        return err_set(e, ERR_INPUT, "evidence: it begins at %" PRIu64, g->from);
    }
    if (g->from > signed_size) {
        return err_set(e, ERR_DENIED,
                       "evidence: it begins at %" PRIu64 ", and %" PRIu64 " was signed last",
                       g->from, signed_size);
    }
    if (g->hashes.n / MERKLE_HASH < n) {
        return err_set(e, ERR_INPUT, "evidence: %zu hashes, and the edge alone has %zu",
                       g->hashes.n / MERKLE_HASH, n);
    }
    leaves = g->hashes.n / MERKLE_HASH - n;
    if (leaves > GROWTH_LEAVES_MAX) {
        return err_set(e, ERR_INPUT, "evidence: %zu new leaves, allowed are %d", leaves,
                       GROWTH_LEAVES_MAX);
    }
    if (g->from + leaves < signed_size) {
        return err_set(e, ERR_DENIED, "roll-back: size %" PRIu64 " after %" PRIu64,
                       g->from + leaves, signed_size);
    }
    *edge = (struct merkle_edge){.size = g->from};
    while (edge->n < n) {
        edge->subtrees[edge->n++] = take_hash(&g->hashes);
    }
    return 0;
}

/* The tree of all leaves, through the one that was signed last. */
static int
grow(struct span evidence, const struct tree_head *last, struct merkle_edge *edge, struct err *e)
{
    struct growth g;

    if (growth_decode(evidence, &g, e) != 0 || take_edge(&g, last, edge, e) != 0) {
        return -1;
    }
    for (;;) {
        struct merkle_hash leaf;

        if (last != NULL && edge->size == last->size && check_root(edge, last, e) != 0) {
            return -1;
        }
        if (g.hashes.n == 0) {
            return 0;
        }
        leaf = take_hash(&g.hashes);
        if (merkle_append(edge, &leaf, NULL, NULL, e) != 0) {
            return -1;
        }
    }
}

int
object_check_checkpoint(const struct policy *p, struct span text, struct span evidence,
                        const struct tree_head *last, struct tree_head *out, struct err *e)
{
    struct merkle_edge edge;
    struct merkle_hash root;
    struct checkpoint asked;

    if (checkpoint_parse(text, &asked, e) != 0) {
        return -1;
    }
    if (strcmp(asked.origin, p->origin) != 0) {
        return err_set(e, ERR_DENIED, "the origin is not '%s'", p->origin);
    }
    if (grow(evidence, last, &edge, e) != 0) {
        return -1;
    }
    if (asked.size != edge.size) {
        return err_set(e, ERR_DENIED, "size: the leaves give %" PRIu64 ", and not %" PRIu64,
                       edge.size, asked.size);
    }
    root = merkle_root(&edge);
    if (!merkle_equal(&root, &asked.root)) {
        return err_set(e, ERR_DENIED, "root: the leaves give another");
    }
    out->size = edge.size;
    memcpy(out->root, root.octets, MERKLE_HASH);
    return 0;
}
