/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ca_log.h - what the CA's log was when this RA saw it last: the newest checkpoint that the CA has
 * told, verified, kept in ra.db. A CA that shows less, or another tree of that size, is an older
 * copy or another history, and gets nothing. It is shown what is kept (HELLO), and finds by itself
 * whether it still has that.
 *
 * Whose checkpoints: the log's whose key nfpki-ra.conf names (log_key), or, without that, the first
 * that the CA shows: the CA at the other end is known by its certificates and its socket, and what
 * is to be found is that it changes. It stays this one until log_key names another.
 *
 * On the loop's thread; private to queue.c but for the key.
 */
#pragma once

#include "ra/daemon/ra.h"

/* The verifier key in this file, without its line break: ERR_INPUT when it is none. */
int ca_log_read_key(const char *path, struct buf *out, struct err *e);

struct ca_log;
/* Not while it is busy. */
void ca_log_free(struct ca_log *);
/* Reads ra.db: blocking, at start. Borrows the RA. */
struct ca_log *ca_log_new(struct ra *, struct err *e) OWNED(ca_log_free);
DEFINE_CLEANUP(ca_log_cleanup, struct ca_log, ca_log_free)

/* For HELLO; empty: nothing yet. */
struct span ca_log_remembered(const struct ca_log *);
/* What the CA shows. With its key (WELCOME), or of the same log as before (empty). ERR_STALE: less
 * than was seen, or another tree; ERR_DENIED: another log; ERR_INPUT, ERR_CRYPTO: no checkpoint of
 * it. Else it is remembered, soon in ra.db, too. */
int ca_log_show(struct ca_log *, struct span vkey, struct span note, struct err *e);
/* The store has something of it. */
bool ca_log_is_busy(const struct ca_log *);
