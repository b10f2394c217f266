/* SPDX-License-Identifier: Apache-2.0 */
/* scene_log.h - a log with a key in memory, and what shows that a leaf is in it. */
#pragma once

#include "base/tlog/checkpoint.h"
#include "pkcs11/client/evidence.h"

enum { SCENE_LOG_MAX = 512 };

#define SCENE_LOG_ORIGIN "ledger.example"

struct scene_log {
    EVP_PKEY *key;
    struct log_key pinned; /* its public half */
    size_t n;
    struct merkle_hash hashes[SCENE_LOG_MAX];
};

/* Empty, with a fresh key. */
void scene_log_begin(struct scene_log *, const char *origin);
void scene_log_end(struct scene_log *);
/* Appends a leaf and tells its index. */
uint64_t scene_log_add(struct scene_log *, struct span leaf);
struct merkle_hash scene_log_root(const struct scene_log *, uint64_t size);
/* The checkpoint over the first `size` leaves; with another root when `root` is not NULL. */
void scene_log_note(const struct scene_log *, uint64_t size, const struct merkle_hash *root,
                    struct buf *note);
/* The way of leaf `index` to that root. */
void scene_log_path(const struct scene_log *, uint64_t index, uint64_t size, struct buf *path);
/* The right edge of the first `from` leaves, and the hashes of those up to `to`. */
void scene_log_growth(const struct scene_log *, uint64_t from, uint64_t to, struct buf *evidence);

/* A leaf INTENT of this TBSCertificate, as the CA writes it. */
char *scene_intent(struct span tbs) OWNED(mem_free);
/* A leaf CRL-INTENT of this TBSCertList. */
char *scene_crl_intent(struct span tbs) OWNED(mem_free);
/* Appends this leaf, and gives what shows it, under a checkpoint over all. */
void scene_log_announce_leaf(struct scene_log *, const char *leaf, struct buf *evidence);
/* Announces a certificate, and gives what shows that, under a checkpoint over all. */
void scene_log_announce(struct scene_log *, struct span tbs, struct buf *evidence);
/* The same of a CRL. */
void scene_log_announce_crl(struct scene_log *, struct span tbs, struct buf *evidence);
