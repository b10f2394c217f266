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
 * state, one stops.
 *
 * One write of another run is none: of the run before this one, whose object was there at the
 * start, with a checkpoint that our journal has. That run was killed within the call, and the token
 * did it late. It is written over at once, and if that run lives nevertheless, it is the one that
 * stops.
 *
 * A client that lies has little of it. It says nothing: what it had a later checkpoint built upon
 * is committed, by its own order of things (the leaves before the signature, the checkpoint before
 * the next one), so when that is ANCHORED_LAG_MS newer than the memory, it is written unasked. It
 * says too much: more than ANCHORED_BURST writes at once, and then one in ANCHORED_EACH_MS, are not
 * done, and the answer says what is there.
 */
#pragma once

#include "pkcs11/anchor.h"
#include "pkcs11/signer/journal/journal.h"

enum {
    ANCHORED_LAG_MS = 2 * 60 * 1000,
    ANCHORED_EACH_MS = 30 * 1000, /* an honest client says it each 50 s, and with each CRL */
    ANCHORED_BURST = 16,
};

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
 * from now on, if it does not yet; with the checkpoint that was there, or none. Writes what is
 * built upon, when that is due. `now`: clock_monotonic_ms(). ERR_STALE, ERR_TOKEN. */
int anchored_hold(struct anchored *, int64_t now, struct err *e);
/* This checkpoint is in the journal, on disk, and goes out signed. What was signed before it is
 * built upon from now on. */
void anchored_signs(struct anchored *, const struct tree_head *, int64_t now);

/*
 * Where the log now is (NULL: nowhere yet) is committed: reads what is there, and writes the new
 * one if it says something new, unless it was asked for too often, or is the first of this run: for
 * NULL that is as anchored_hold() has it. `is` gets what is in the token then. ERR_STALE,
 * ERR_TOKEN.
 */
int anchored_commit(struct anchored *, const struct tree_head *, int64_t now, struct anchor *is,
                    struct err *e);
