/* SPDX-License-Identifier: Apache-2.0 */
/*
 * evidence.h - what goes with an object to show its signer that the ledger has it (PROTOCOL.md):
 * the octets of the leaf that announces it, and the way from that leaf to the root of a checkpoint
 * that the log key signed. It is for the signer to judge; here it is only written and taken apart.
 */
#pragma once

#include <stdint.h>

#include "base/buf.h"

enum {
    EVIDENCE_LEAF_MAX = 65535,
    EVIDENCE_HASH = 32,
    EVIDENCE_PATH_MAX = 64 * EVIDENCE_HASH,
    EVIDENCE_NOTE_MAX = 2048,
    EVIDENCE_MAX = EVIDENCE_NOTE_MAX + EVIDENCE_LEAF_MAX + EVIDENCE_PATH_MAX + 16,
};

/* Borrows. */
struct evidence {
    struct span note; /* the signed checkpoint */
    uint64_t index;   /* of the leaf */
    struct span leaf;
    struct span path; /* hashes, from the leaf up (RFC 9162 2.1.3.1) */
};

/* With a checkpoint: how the log grew. */
struct growth {
    uint64_t from;      /* leaves before it: a checkpoint's that was signed, or 0 */
    struct span hashes; /* the full subtrees of these leaves, largest first, as many as `from` has
                           bits that are set; then each new leaf */
};

enum {
    GROWTH_LEAVES_MAX = 65536,
    GROWTH_EDGE_MAX = 62,
    GROWTH_MAX = 8 + (GROWTH_EDGE_MAX + GROWTH_LEAVES_MAX) * EVIDENCE_HASH,
};

/* The answer to SIGNER_LAST (client.h). */
struct signed_last;
enum { SIGNED_LAST_SIZE = 8 + EVIDENCE_HASH };

/* Replaces `out`; ERR_INPUT when there is no room. */
int signed_last_encode(const struct signed_last *, struct buf *out, struct err *e);
/* ERR_INPUT when it is anything else. */
int signed_last_decode(struct span, struct signed_last *, struct err *e);

/* The answer to SIGNER_ANCHOR. */
struct signer_anchored;
enum { ANCHORED_SIZE = 16 };
int signer_anchored_encode(const struct signer_anchored *, struct buf *out, struct err *e);
int signer_anchored_decode(struct span, struct signer_anchored *, struct err *e);

/* Replaces `out`; ERR_INPUT when there is no room. */
int growth_encode(const struct growth *, struct buf *out, struct err *e);
/* ERR_INPUT when it is not whole. How many hashes there are is for the signer to judge. */
int growth_decode(struct span, struct growth *, struct err *e);

/* Replaces `out`; ERR_INPUT when one of them is above its limit. */
int evidence_encode(const struct evidence *, struct buf *out, struct err *e);
/* ERR_INPUT when it is not whole, or above a limit. */
int evidence_decode(struct span, struct evidence *, struct err *e);
