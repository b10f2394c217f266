/* SPDX-License-Identifier: Apache-2.0 */
/*
 * previous.h - the log that is at its end, when leaves that were signed are missing for good.
 *
 * It stays published as it is, and its key signs nothing more. The new log, of another key and
 * origin, begins with its leaves, octet for octet, since all that is judged is judged by leaves;
 * behind them RESTORED names the old log's last published checkpoint, and what its key had signed.
 */
#pragma once

#include "base/tlog/checkpoint.h"

struct previous {
    struct log_key key;
    struct checkpoint published; /* the newest that there is */
    struct buf note;
    uint64_t signed_size; /* what the key had signed: the last line of its signer's journal */
    struct merkle_hash signed_root;
};
void previous_free(struct previous *);
/* `dir` is the old folder, `signed_head` "SIZE:ROOT", the root in base64 as the refusal of a start
 * says it. `key` is the new log's, which must be another. ERR_INPUT, ERR_CRYPTO, ERR_CONFLICT. */
int previous_read(const char *dir, const char *signed_head, const struct log_key *key,
                  struct previous *out, struct err *e);
