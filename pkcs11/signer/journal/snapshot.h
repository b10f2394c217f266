/* SPDX-License-Identifier: Apache-2.0 */
/*
 * snapshot.h - the state of a journal at a place in it, in a file beside it, so that a start reads
 * the lines behind that place alone. It is under a MAC that the token makes, and is compared with
 * the journal: with the chain over the last block of lines before its place, and so with all of
 * them. It shows nothing to anybody else: the journal is the evidence.
 */
#pragma once

#include "pkcs11/signer/journal/state.h"

enum { SNAPSHOT_MAC = 32 };

/* The MAC of the token's secret key. `make` NULL: there is none, and so are no snapshots. */
struct snapshot_key {
    int (*make)(void *arg, struct span text, uint8_t mac[SNAPSHOT_MAC], struct err *e);
    void *arg;
};

/* Replaces the file. */
int snapshot_save(const char *path, const uint8_t key_hash[AGAIN_HASH],
                  const struct journal_state *, const struct snapshot_key *, struct err *e);
/* Replaces *out, which was initialised. Nothing is changed after ERR_NOTFOUND (there is none),
 * ERR_DENIED (not made with this key, or changed), ERR_STALE (the journal is older than it, or
 * another) or any other failure. */
int snapshot_load(const char *path, const uint8_t key_hash[AGAIN_HASH], struct marks_file journal,
                  const struct snapshot_key *, struct journal_state *out, struct err *e);
