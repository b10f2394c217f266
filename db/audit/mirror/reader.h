/* SPDX-License-Identifier: Apache-2.0 */
/*
 * reader.h - the leaves of a folder, each verified by its tile and parsed, on a thread of their
 * own: while a bundle of them is taken in, the next ones are read. Private to db/audit/mirror/.
 *
 *   [read, hash, parse]  -- at most READER_AHEAD bundles -->  [rules, rows]
 *
 * The log belongs to that thread until reader_free(); what of it is constant may be asked.
 */
#pragma once

#include "db/audit/files.h"
#include "db/ledger/leaf.h"

enum { READER_AHEAD = 4 };

struct reader_bundle {
    uint64_t first; /* index of the first leaf */
    size_t n;
    struct leaf *leaves[AUDIT_WIDTH];
    char file[AUDIT_NAME_MAX]; /* where they stand */
};

struct reader;
/* Stops it where it is. */
void reader_free(struct reader *);
/* From the bundle of leaf `from` on. */
struct reader *reader_new(struct audit_log *, uint64_t from, struct err *e) OWNED(reader_free);
DEFINE_CLEANUP(reader_cleanup, struct reader, reader_free)
/* Borrowed until the next call; NULL behind the last one. ERR_CRYPTO, ERR_INPUT, ERR_NOTFOUND or
 * ERR_IO as audit_walk(): behind all that is right before it. */
int reader_next(struct reader *, const struct reader_bundle **, struct err *e);
