/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cosign.h - the auditor as a witness: signs a checkpoint when the one that was signed last is a
 * beginning of it, and remembers it first.
 *
 * The memory is a file with the whole note, so that two that contradict each other prove with the
 * log's own signatures what it did. It is on the disk before anything is signed; one run at a time
 * has it. What is refused is kept beside it.
 */
#pragma once

#include "db/audit/witness/witnessed.h"

struct cosign_result {
    bool first;       /* there was nothing to compare with */
    uint64_t earlier; /* size that was signed last */
};

/* `octets` is the note of log->checkpoint, verified. `out` gets it with the signature of `c` as its
 * last line, in place of an earlier one of that key. ERR_CONFLICT: it is no continuation, and
 * FILE.refused-* has both notes; ERR_BUSY: another run. */
int cosign(const char *state, const struct witnessed_log *log, struct span octets,
           const struct cosigner *c, EVP_PKEY *key, struct buf *out, struct cosign_result *,
           struct err *e);
