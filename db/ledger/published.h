/* SPDX-License-Identifier: Apache-2.0 */
/*
 * published.h - a published ledger, read back leaf by leaf: what a database lost is in it.
 *
 * Every leaf is hashed; that they give the root which the log's key signed is known when the last
 * one was read, so what was done with them before rests on published_end(). The files of hashes are
 * not needed for it, and not read. Blocking; whoever writes the folder does not run.
 */
#pragma once

#include "base/tlog/checkpoint.h"
#include "db/store/store.h"

struct published;
void published_free(struct published *);
DEFINE_CLEANUP(published_cleanup, struct published, published_free)
/* `dir` has the log of this key: its file `checkpoint` verifies. ERR_NOTFOUND: there is none. The
 * key is borrowed. */
struct published *published_open(const char *dir, const struct log_key *, struct err *e)
    OWNED(published_free);

const struct checkpoint *published_checkpoint(const struct published *);

/* The next leaf in order; *more is false behind the last. `body` is borrowed until the next call.
 * ERR_CRYPTO when the folder does not have what its checkpoint is over. */
int published_next(struct published *, struct span *body, bool *more, struct err *e);
/* How many were read so far, and their root. */
uint64_t published_size(const struct published *);
struct merkle_hash published_root(const struct published *);
/* All were read, and are those under the checkpoint. ERR_CRYPTO. */
int published_end(const struct published *, struct err *e);

/* In an operation's run, when the database has all these leaves: its checkpoint is stored as one
 * that was signed. ERR_CONFLICT when the leaves are others. */
int published_store(const struct published *, struct store_db *, struct err *e);
/* The database becomes that of a new log that begins with its leaves: the checkpoints that another
 * log's key signed are not its own. */
int published_succeed(struct store_db *, struct err *e);
