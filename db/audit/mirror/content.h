/* SPDX-License-Identifier: Apache-2.0 */
/*
 * content.h - the leaves themselves and the hashes of their tree, as the mirror keeps them: bundles
 * and tiles of 256 (tables bundle, tile). Private to db/audit/mirror/.
 */
#pragma once

#include "base/tlog/merkle.h"
#include "db/audit/mirror/sql.h"

/* ---- reading ---- */

/* The octets of a leaf, whose hash is the one in its tile; replaces `out`. ERR_NOTFOUND, ERR_STALE
 * when the file was edited. */
int content_leaf(struct sql *, uint64_t index, struct buf *out, struct err *e);
/* The n-th file of entries, as far as it is here; replaces `out`. */
int content_bundle(struct sql *, uint64_t n, struct buf *out, struct err *e);
/* The path of a leaf in the tree of `size`; nothing is verified. */
int content_path(struct sql *, uint64_t index, uint64_t size, struct merkle_proof *, struct err *e);
int content_hash(struct sql *, uint64_t index, struct merkle_hash *, struct err *e);
/* The root over the first `size` leaves. */
int content_root(struct sql *, uint64_t size, struct merkle_hash *, struct err *e);
/* Each leaf from `from` up to, and without, `to`. */
typedef int content_leaf_each(void *arg, uint64_t index, struct span body, struct err *e);
int content_each(struct sql *, uint64_t from, uint64_t to, content_leaf_each *, void *arg,
                 struct err *e);

/* ---- writing ---- */

struct content;
void content_free(struct content *);
/* Goes on behind `edge`, whose leaves are there. */
struct content *content_new(struct sql *, const struct merkle_edge *, struct err *e)
    OWNED(content_free);
DEFINE_CLEANUP(content_cleanup, struct content, content_free)
/* The next leaf. */
int content_add(struct content *, struct span body, const struct merkle_hash *, struct err *e);
/* What is not full yet is written, too: before each commit. */
int content_flush(struct content *, struct err *e);
const struct merkle_edge *content_edge(const struct content *);
