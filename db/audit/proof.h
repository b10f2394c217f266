/* SPDX-License-Identifier: Apache-2.0 */
/*
 * proof.h - that a leaf is in the log, as one text that needs nothing else but the log's key: C2SP
 * tlog-proof, with the leaf itself as its extra data.
 *
 *   c2sp.org/tlog-proof@v1
 *   extra <base64 of the leaf>
 *   index <decimal>
 *   <base64 of a hash>                  from the leaf up
 *   <empty line>
 *   <the checkpoint, with all signatures>
 */
#pragma once

#include "base/tlog/checkpoint.h"
#include "db/ledger/leaf.h"

enum { PROOF_MAX = NOTE_MAX + 3 * LEAF_MAX };

/* `note` is the checkpoint that the path leads to. */
int proof_format(struct span leaf, uint64_t index, const struct merkle_proof *, struct span note,
                 struct buf *out, struct err *e);

struct proof {
    struct leaf *leaf;
    uint64_t index;
    struct checkpoint checkpoint;
    uint8_t key[LOG_KEY_ID]; /* that it was verified with */
};
/* Zeroed is empty; for CLEANUP. */
void proof_free(struct proof *);
/* Parses it strictly, and verifies the checkpoint with the key, the path to its root and the form
 * of the leaf. ERR_INPUT form, ERR_CRYPTO what does not verify. */
int proof_open(const struct log_key *, struct span text, struct proof *, struct err *e);
