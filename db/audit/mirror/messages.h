/* SPDX-License-Identifier: Apache-2.0 */
/*
 * messages.h - what leaves name by its SHA-256 (ledger/messages.h), as the mirror keeps it (table
 * message_file): each was hashed. One that is wrong makes neither a run fail nor the others of its
 * file: the leaves are what they are without it; the row says why. One that was good stays,
 * whatever is published later. Private to db/audit/mirror/.
 */
#pragma once

#include "base/tlog/merkle.h"
#include "db/audit/mirror/sql.h"
#include "db/ledger/messages.h"

/* What the folder has for the first `size` leaves, which are here, and the mirror has not; in
 * transactions of its own. */
int messages_import(struct sql *, const char *dir, uint64_t size, struct err *e);

/* The message that this leaf names; replaces `out`. ERR_NOTFOUND: why it is not here; ERR_CRYPTO:
 * what its file has for it is another one, or cut; ERR_STALE: the mirror was edited. */
int messages_load(struct sql *, uint64_t leaf, struct buf *out, struct err *e);
/* Of all leaves that are here. */
int messages_count(struct sql *, struct message_count *, struct err *e);
/* The n-th file as it was published, with what is wrong in it, but for what was good before.
 * ERR_NOTFOUND, ERR_STALE. */
int messages_load_file(struct sql *, uint64_t n, struct buf *out, struct err *e);
