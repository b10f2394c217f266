/* SPDX-License-Identifier: Apache-2.0 */
/*
 * state.h - what is known of a journal at a place in it: from each of its lines before, or from a
 * snapshot (snapshot.h) and the lines behind that. For journal.c.
 */
#pragma once

#include "pkcs11/signer/journal/marks.h"

struct journal_state {
    uint64_t end;   /* octets before this place, */
    uint64_t lines; /* and lines, the first of the file and those of no attempt among them */
    bool has_checkpoint;
    struct tree_head checkpoint; /* the last one attempted */
    struct again *again;
    struct marks marks;  /* of attempts, and how many there are */
    uint64_t signatures; /* that are known of, */
    uint64_t noted;      /* and those of them that the lines say */
};

void journal_state_init(struct journal_state *);
void journal_state_free(struct journal_state *);

/* What is true when this was attempted; its line begins at `offset`. */
int journal_state_take(struct journal_state *, const struct journal_attempt *, uint64_t offset,
                       struct err *e);
/* A line behind the first, without CRC-32, which is taken apart; it begins at `end`, which the
 * caller moves. ERR_STORE when it may not stand there. */
int journal_state_read(struct journal_state *, char *line, const char *path, struct err *e);
