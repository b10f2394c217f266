/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ledger.h - the append-only record inside ca.db, its signed checkpoints and its published files.
 *
 * Leaves are appended inside the transaction of what they are about: both are durable or none is.
 * Then, once for a group of leaves:
 *
 *   ledger_prepare_op  (store)  text of the checkpoint over everything that is committed
 *   signer             (loop)   signature over that text by the log key
 *   ledger_store_op    (store)  verifies and stores the checkpoint
 *   ledger_files_op    (store)  later, for many at once: the tiles and, last, the file `checkpoint`
 *
 * What a signed, stored checkpoint covers can be released. One checkpoint is under way at a time.
 *
 * Published folder (C2SP tlog-tiles): log.vkey, checkpoint, tile/<level>/<n>[.p/<w>],
 * tile/entries/<n>[.p/<w>], tile/messages/<n>[.p/<w>]; immutable files, 0644; folders 0755.
 *
 * Database: migration 1 of ca.db is ours (ledger_migrations); a later one takes the next free
 * number of ca.db. Triggers refuse UPDATE and DELETE, and an INSERT anywhere but at the end.
 */
#pragma once

#include "base/tlog/checkpoint.h"
#include "db/ledger/leaf.h"
#include "db/ledger/messages.h"
#include "db/store/store.h"

extern const struct store_migration ledger_migrations[];

/* In an operation's run: appends; seals the leaf when it is not. *index may be NULL. */
int ledger_append(struct store_db *, struct leaf *, uint64_t *index, struct err *e);
/* The newest leaf of a kind that is found by this subject (subject.h). */
int ledger_find(struct store_db *, enum leaf_kind, struct span subject, uint64_t *index,
                bool *found, struct err *e);
/* Number of leaves. */
int ledger_size(struct store_db *, uint64_t *size, struct err *e);
/* Time of the last leaf; 0: there is none. For store_options.admit, too. */
int ledger_last_time(struct store_db *, time_t *at, struct err *e);
/* Root over the first `size` leaves (at most ledger_size). */
int ledger_root(struct store_db *, uint64_t size, uint8_t root[LEAF_HASH_SIZE], struct err *e);

/* Is the stored hash of leaf `index` that of these octets, and that of each full subtree which this
 * leaf completes that of its two halves? Asked of each leaf, one after the other, all hashes are
 * those of the leaves. ERR_STALE, or ERR_NOTFOUND when one is missing. */
int ledger_check_hashes(struct store_db *, uint64_t index, struct span body, struct err *e);

/* Leaf `index` and the way from it to the root of the first `size` leaves (base/tlog/merkle.h), its
 * hashes one behind the other; both replaced. */
int ledger_prove(struct store_db *, uint64_t index, uint64_t size, struct buf *leaf,
                 struct buf *path, struct err *e);

/* ---- checkpoints and files ---- */

/* Replaces `out` by the message that a leaf names, of that hash; leaves it empty when the database
 * does not have it. */
typedef int ledger_message(struct store_db *, const struct message *, struct buf *out,
                           struct err *e);

struct ledger_options {
    const char *dir; /* created when missing */
    const char
        *origin; /* of the checkpoints, for example "nfpki.example.net/ca1"; no space, no '+' */
    struct span spki;        /* DER SubjectPublicKeyInfo of the log key (P-256) */
    ledger_message *message; /* NULL: messages are not published */
};

struct ledger;
void ledger_free(struct ledger *);
/* Changes nothing. ERR_CONFLICT when the folder has another log's key. */
struct ledger *ledger_new(const struct ledger_options *, struct err *e) OWNED(ledger_free);
DEFINE_CLEANUP(ledger_cleanup, struct ledger, ledger_free)

/* What the log's key was asked for last, as its signer's journal has it: `size` leaves, 0 when
 * nothing yet. */
struct ledger_signed {
    uint64_t size;
    uint8_t root[LEAF_HASH_SIZE];
};

/* First of all, and before anything is changed (store_options.admit; NULL: there is no database):
 * the leaves, the last checkpoint that is stored, the published one and what was signed last
 * (NULL: nobody was asked) are of one record, and none is newer than the database. Else ERR_STALE,
 * as when the database does not agree with itself: never repaired, never forked. All leaves are
 * read, but when the file is sealed, and so the hashes in it are of its leaves: then only if it is
 * to be the `whole`. */
int ledger_check(struct ledger *, struct store_db *, const struct ledger_signed *, bool whole,
                 struct err *e);

/* Then, in a store operation at start: makes the folder and log.vkey, and publishes what a crash
 * left unpublished. Checks before, when nobody did. What the published checkpoint covers was there
 * when it was: it is not looked at again (ledger_mend()). */
int ledger_recover(struct ledger *, struct store_db *, struct err *e);
/* The same through store_call(). Afterwards ledger_found() tells how many leaves the published
 * checkpoint covered before: those from there to ledger_stored() nobody else could see yet, though
 * what they are about may have been answered. */
int ledger_start(struct ledger *, struct store *, struct err *e);
uint64_t ledger_found(const struct ledger *);
/* In an operation's run: of what is published, the full files that end with leaves from `from` to
 * `to` are there, or are made again. *put: so many were not there. ERR_IO. */
int ledger_mend(const struct ledger *, struct store_db *, uint64_t from, uint64_t to, size_t *put,
                struct err *e);

/* Fill op.task.done (before or after the two functions below: they keep it), then
 * store_submit(store, &x.op). Begin with an all zero struct. */
struct ledger_op {
    struct store_op op;
    struct ledger *ledger;
    struct buf note;       /* the text to sign, three lines; */
    uint64_t size;         /* how many leaves it covers, */
    uint64_t from;         /* the stored one before it, */
    struct buf hashes;     /* the right edge of that one and the new leaves: for the log signer,
                              which computes all of it again; ledger_op_free() them */
    struct span signature; /* DER ECDSA signature over `note`; borrowed until done */
    /* May be NULL: in the operation that stores the checkpoint, behind it; `note` with its
     * signature. Set before the store or publish operation is submitted. */
    int (*along)(struct ledger_op *, struct store_db *, struct span note, struct err *e);
};
/* At most so many new leaves in one checkpoint; more are for the next. */
enum { LEDGER_GROWTH_MAX = 65536 };
void ledger_op_free(struct ledger_op *);
/* Gives note, size, from and hashes. note.n is 0 when the last checkpoint covers everything. */
void ledger_prepare_op(struct ledger_op *, struct ledger *);
/* Needs note, size (from before) and signature: call it on the same struct after prepare's done; it
 * keeps them. ERR_CRYPTO when the signature does not verify, ERR_CONFLICT when the text is not
 * about the ledger as it is; ERR_IO when the files could not be written (the checkpoint is stored,
 * and ledger_recover publishes it at the next start: the program should stop). */
void ledger_publish_op(struct ledger_op *, struct ledger *, struct span signature);

/* In an operation's run: the newest checkpoint that is signed and stored, and how many leaves it
 * covers; verified. Nothing and 0 when there is none. */
int ledger_newest(const struct ledger *, struct store_db *, struct buf *note, uint64_t *size,
                  struct err *e);

/* In an operation's run: is `note`, a checkpoint that somebody else keeps, of what is stored?
 * ERR_STALE when this log's key signed it and the record is older, or has another root there;
 * ERR_CRYPTO and ERR_INPUT when it did not: then it says nothing. */
int ledger_has(const struct ledger *, struct store_db *, struct span note, struct err *e);
/* The log's verifier key, as log.vkey has it; borrowed. */
const char *ledger_vkey(const struct ledger *);
/* The same key, and the folder that is published; borrowed. */
const struct log_key *ledger_key(const struct ledger *);
const char *ledger_dir(const struct ledger *);

/* As ledger_publish_op() but for the files, which ledger_files_op() writes later, all at once up to
 * the newest stored checkpoint. */
void ledger_store_op(struct ledger_op *, struct ledger *, struct span signature);
void ledger_files_op(struct ledger_op *, struct ledger *);

/* Leaves covered by the newest checkpoint that is signed and stored, and by the newest published
 * one: at most as many. Any thread. */
uint64_t ledger_stored(const struct ledger *);
uint64_t ledger_published(const struct ledger *);
