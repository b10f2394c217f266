/* SPDX-License-Identifier: Apache-2.0 */
/*
 * anchored.h - the log key's memory in its token (pkcs11/anchor.h), and what it is good for: the
 * journal, the database and everything else can be put back to an older copy together, or copied
 * beside a log that goes on; the token is one.
 *
 *   FOUND --before the first checkpoint, or commit--> OURS --before each, commit--> OURS
 *     |                                                |
 *     +------------------------------------------------+-- the newest is not what was seen, or
 *                                                          written, last --> LOST
 *
 * FOUND: what is there was written by a run before, and the journal has that checkpoint: a start
 * alone takes nobody's place. OURS: this run wrote it. LOST: another run has written since, so that
 * there are two; this one signs nothing any more. So of two runs with one token, on copies of one
 * state, one stops. What the client never says to be committed is not in the token: a client that
 * lies can keep the memory old, or have it written as often as it likes, and no more.
 */
#pragma once

#include "pkcs11/anchor.h"
#include "pkcs11/signer/journal/journal.h"

struct anchored;
void anchored_free(struct anchored *);
/*
 * Reads what is there. ERR_STALE: the journal does not have the checkpoint that the token knows,
 * because it is an older copy, or one that went on by itself. Borrows session and journal.
 */
struct anchored *anchored_open(struct session *, const uint8_t id[KEY_ID_SIZE],
                               const struct journal *, struct err *e) OWNED(anchored_free);
DEFINE_CLEANUP(anchored_cleanup, struct anchored, anchored_free)

/* Has another run taken over, as far as is known? ERR_STALE says who. */
int anchored_is_lost(const struct anchored *, struct err *e);
/* Before a checkpoint is signed: asks the token for the same, and says there that this run signs
 * from now on, if it does not yet; with the checkpoint that was there, or none. ERR_STALE,
 * ERR_TOKEN. */
int anchored_hold(struct anchored *, struct err *e);

/*
 * Where the log now is (NULL: nowhere yet) is committed: reads what is there, and writes the new
 * one if it says something new, or is the first of this run: for NULL that is as anchored_hold()
 * has it. `now` gets what is in the token then. ERR_STALE, ERR_TOKEN.
 */
int anchored_commit(struct anchored *, const struct tree_head *, struct anchor *now, struct err *e);
