/* SPDX-License-Identifier: Apache-2.0 */
/*
 * queue_head.h - what an RA signs instead of each of its queue entries: the head of a Merkle tree
 * (merkle.h) over the entries that it committed together, in their order.
 *
 *   nfpki-queue-head/v1
 *   ra <SHA-256 of the SubjectPublicKeyInfo of the key that signs, hex>
 *   ca <SHA-256 of the issuing certificate of the CA that it is meant for, hex>
 *   first <sequence of the first entry, from 1>
 *   size <entries, 1 to QUEUE_HEAD_SIZE_MAX>
 *   root <hex>
 *   previous <SHA-256 of the text of the head before, hex; 64 zeros: there is none>
 *   time <RFC 3339 Z: when they were committed>
 *
 * Eight lines, each with its line break; numbers in decimal without leading zeros, hex in lower
 * case. The first line keeps it apart from all else that a key of the RA signs: no DER begins so.
 * Entry number first + i is leaf i. Pure.
 */
#pragma once

#include <stdint.h>
#include <time.h>

#include "base/buf.h"
#include "base/tlog/merkle.h"

enum {
    QUEUE_HEAD_SIZE_MAX = 256, /* so a path has 8 hashes at most */
    QUEUE_HEAD_PATH_MAX = 8 * MERKLE_HASH,
    QUEUE_HEAD_TEXT_MAX = 512,
    QUEUE_HEAD_ID = 32, /* SHA-256 */
};
#define QUEUE_HEAD_TIME_MAX INT64_C(253402300799) /* 9999-12-31T23:59:59Z */

struct queue_head {
    uint8_t ra[QUEUE_HEAD_ID];
    uint8_t ca[QUEUE_HEAD_ID];
    uint64_t first;
    uint64_t size;
    struct merkle_hash root;
    uint8_t previous[QUEUE_HEAD_ID];
    time_t time;
};

/* The text that is signed; replaces `out` (maximum QUEUE_HEAD_TEXT_MAX). ERR_INPUT for what
 * queue_head_parse() would not take. */
int queue_head_format(const struct queue_head *, struct buf *out, struct err *e);
/* Strict inverse: exactly these octets. ERR_INPUT names the line. */
int queue_head_parse(struct span text, struct queue_head *, struct err *e);
/* Root over leaf hashes, MERKLE_HASH octets each, 1 to QUEUE_HEAD_SIZE_MAX of them; and the audit
 * path of one of them (appended, MERKLE_HASH octets each). */
int queue_head_root(struct span leaves, struct merkle_hash *root, struct err *e);
int queue_head_path(struct span leaves, uint64_t index, struct buf *path, struct err *e);
/* ERR_CRYPTO unless `entry` is leaf `index` under this head. */
int queue_head_covers(const struct queue_head *, struct span entry, uint64_t index,
                      struct span path, struct err *e);
