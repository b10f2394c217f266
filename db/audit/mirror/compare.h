/* SPDX-License-Identifier: Apache-2.0 */
/*
 * compare.h - what a source's checkpoint, which the log's key signed, says beside what is here:
 * both are true, it is behind, or the log has two histories. Private to db/audit/mirror/.
 */
#pragma once

#include "db/audit/files.h"
#include "db/audit/mirror/position.h"

enum says {
    SAYS_UNKNOWN, /* its tiles must be asked: compare_tiles() */
    SAYS_MORE,    /* what is here is its beginning */
    SAYS_SAME,
    SAYS_BEHIND, /* it is the beginning of what is here, or of what was signed */
    SAYS_FORK,
};

/* Against what it speaks: a checkpoint that is here. */
struct against {
    uint64_t size;
    struct buf note; /* empty: none */
};
void against_free(struct against *);

/* By sizes and roots alone. */
int compare_checkpoint(struct sql *, const struct position *, const struct checkpoint *theirs,
                       enum says *, struct against *, struct err *e);
/* And by its tiles. ERR_CRYPTO, ERR_INPUT, ERR_NOTFOUND, ERR_IO say that they are broken. */
int compare_tiles(struct sql *, const struct position *, struct audit_log *, enum says *,
                  struct against *, struct err *e);
/* The one of this size that was signed and not accepted, which another one contradicts. */
int compare_contradicted(struct sql *, uint64_t size, struct against *, struct err *e);
/* The next checkpoint behind `from` that was signed and not accepted, one that was refused, too: as
 * a beginning of another, which nobody had seen yet; *size 0: there is none. */
int compare_next(struct sql *, uint64_t from, uint64_t *size, struct merkle_hash *root,
                 struct err *e);
