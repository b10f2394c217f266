/* SPDX-License-Identifier: Apache-2.0 */
/*
 * journal.h - one line for each attempt to sign, on disk before the token is asked
 * (client/PROTOCOL.md, "Journal").
 *
 * Its state at a place in it may be kept in a snapshot (snapshot.h), so that a start reads what is
 * behind. Append-only; every line ends in a CRC-32. A last line that a power cut tore is cut off at
 * open; a damaged line before it is refused: somebody edited the record. What was read is durable
 * before the journal is open, though a sync of the process before may have failed. One process at a
 * time (flock).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "pkcs11/signer/journal/line.h"

struct journal;
void journal_close(struct journal *);
DEFINE_CLEANUP(journal_cleanup, struct journal, journal_close)
/* Opens or creates it: it is this process's alone. ERR_CONFLICT when another one holds it. */
struct journal *journal_claim(const char *path, struct err *e) OWNED(journal_close);
/*
 * Reads it as the journal of the key with this SHA-256 of its SPKI, from the snapshot PATH-snapshot
 * on when the MAC of `key` (NULL: there is none) is right and it is of these lines. *not_believed
 * says why not: all lines are read then. ERR_NOTFOUND: there was none. `*torn` gets the octets that
 * were cut off the end (0: none). ERR_DENIED when it is another key's, ERR_STORE "path:line: ..."
 * when a line is damaged, ERR_STALE when the journal is older than its snapshot.
 */
struct snapshot_key;
int journal_load(struct journal *, const uint8_t key_hash[32], const struct snapshot_key *key,
                 size_t *torn, struct err *not_believed, struct err *e);
/* A snapshot, when so many attempts were committed since the last one; without a key none, and none
 * of a journal that could not be read, or written, or is not what it was. */
int journal_keep(struct journal *, uint64_t each, struct err *e);
/* Reads the lines behind the next `marks` marks again (marks.h), round and round: after a start
 * from a snapshot nobody has read them. ERR_STORE: they are not what they were; the process must
 * end. */
int journal_scrub(struct journal *, size_t marks, struct err *e);

/* Adds a line to what journal_commit() will write. `checkpoint` for the kind 'K' only. */
int journal_add(struct journal *, char kind, const uint8_t tbs_hash[32],
                const struct tree_head *checkpoint, struct err *e);
/* The same of a certificate and of a CRL, with what may not come again otherwise (again.h). */
int journal_add_certificate(struct journal *, const uint8_t tbs_hash[32],
                            const uint8_t serial[AGAIN_SERIAL], struct err *e);
int journal_add_crl(struct journal *, const struct crl_head *, struct err *e);
/* One write, one fdatasync. After a failure the outcome on disk is unknown: the process must end.
 */
int journal_commit(struct journal *, struct err *e);

/* An attempt that is committed has given a signature, which verifies. Of the lines behind it each
 * says how many these are by then, so that behind a kill those of the last commit are not known. */
void journal_signed(struct journal *);
uint64_t journal_signatures(const struct journal *);
/* Before the process ends: where the lines do not say how many there are, one more does. Nothing
 * where a commit failed, or is missing, or it is not what it was. */
int journal_end(struct journal *, struct err *e);

/* What was attempted, added or committed. */
const struct again *journal_again(const struct journal *);
uint64_t journal_attempts(const struct journal *);
/* What is committed: the chain (client/attempted.h) over the attempts before `first`, which is one
 * behind the last at most; and each from there on, until `visit` says false. ERR_STORE when the
 * file has others than were read or written. */
int journal_chain(const struct journal *, uint64_t first, uint8_t chain[32], struct err *e);
int journal_each(const struct journal *, uint64_t first,
                 bool (*visit)(void *arg, const struct journal_attempt *), void *arg,
                 struct err *e);
/* The last checkpoint attempted, added or committed; NULL when there was none. */
const struct tree_head *journal_checkpoint(const struct journal *);
/* Is there a line of this very checkpoint? Looks from the end on. ERR_IO. */
int journal_has_checkpoint(const struct journal *, const struct tree_head *, bool *found,
                           struct err *e);
