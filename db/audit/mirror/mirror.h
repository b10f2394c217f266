/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mirror.h - the auditor's own database of one log (mirror.sql): opened to be asked.
 *
 * What is in it was verified while it was imported (import.h): each leaf's hash up to the root of a
 * checkpoint that the log's key signed, and what must be true of the leaves beside that
 * (db/audit/rules/). The file itself is the auditor's: it is as trustworthy as whoever can write
 * it.
 *
 * Ask the views. One thread.
 */
#pragma once

#include <sqlite3.h>

#include "base/tlog/checkpoint.h"
#include "db/ledger/messages.h"

struct mirror;
void mirror_close(struct mirror *);
/* One that is there; reads only, also while an import goes on. ERR_NOTFOUND, ERR_DENIED what is no
 * mirror or of another schema, ERR_STORE. */
struct mirror *mirror_open(const char *path, struct err *e) OWNED(mirror_close);
DEFINE_CLEANUP(mirror_cleanup, struct mirror, mirror_close)

/* Borrowed. The connection is for questions: prepared statements over the views. */
sqlite3 *mirror_sqlite(struct mirror *);
/* The accepted checkpoint, of size 0 and with an empty note before there is one. */
const struct checkpoint *mirror_checkpoint(const struct mirror *);
struct span mirror_note(const struct mirror *);
const struct log_key *mirror_key(const struct mirror *);
/* Somebody gave the key; else it is what the ledger itself said. */
bool mirror_key_is_given(const struct mirror *);
/* So many of the first leaves had the quorum of a policy cosigned when that was asked last
 * (mirror_note_cosigned() in run.h); -1: nobody did. */
int64_t mirror_cosigned(const struct mirror *);
const char *mirror_path(const struct mirror *);

/* Who waits for answers may be gone: from here on this is asked now and then, before each leaf and
 * message, too, and anything else than 0 ends what is under way: ERR_BUSY, or SQLITE_INTERRUPT. */
typedef int mirror_over(void *arg);
void mirror_watch(struct mirror *, mirror_over *, void *arg);

/* The octets of a leaf below the accepted size (ERR_NOTFOUND); replaces `out`, at most LEAF_MAX. */
int mirror_leaf(struct mirror *, uint64_t index, struct buf *out, struct err *e);
/* The message that it names by its SHA-256 (ledger/messages.h), which was hashed; replaces `out`.
 * ERR_NOTFOUND: why it is not here; ERR_CRYPTO: what was published is another one. */
int mirror_message(struct mirror *, uint64_t index, struct buf *out, struct err *e);
/* The same of the n-th 256 leaves, as it is published, also with what is another one. */
int mirror_messages(struct mirror *, uint64_t n, struct buf *out, struct err *e);
/* How many messages all leaves name, and whether they are here. */
int mirror_messages_count(struct mirror *, struct message_count *, struct err *e);
/* The audit path of a leaf to the accepted checkpoint's root. The path is verified, with what the
 * leaf is: ERR_STALE says that the file was edited. */
int mirror_prove(struct mirror *, uint64_t index, struct merkle_proof *, struct err *e);

/* Told of each leaf below the accepted size, in order. */
typedef int mirror_told(void *arg, uint64_t index, struct span body, struct err *e);
/* Believe them when 0 comes back: then the tree of these octets has the checkpoint's root, and its
 * beginning that of `earlier` (NULL: nobody asks). ERR_STALE: the file was edited; ERR_CRYPTO: the
 * beginning is another one. */
int mirror_each(struct mirror *, const struct checkpoint *earlier, mirror_told *, void *arg,
                struct err *e);
