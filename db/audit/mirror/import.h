/* SPDX-License-Identifier: Apache-2.0 */
/*
 * import.h - the leaves of a folder become a mirror's: each is verified (db/audit/walk.h,
 * db/audit/rules/) before a row is made of it. What is imported is seen by the views when the tree
 * that is here has the root of the folder's checkpoint, and not before.
 *
 * IMPORT_COMMIT leaves are in a transaction, with where they end (position.h). A run that ends in
 * between, in whatever way, is gone on with by the next one.
 */
#pragma once

#include "db/audit/files.h"
#include "db/audit/mirror/mirror.h"

enum { IMPORT_COMMIT = 16 * AUDIT_WIDTH, IMPORT_RULES = 64 * 1024 /* leaves between two states */ };

/* Told behind each transaction: so many of so many are here. */
typedef void mirror_progress(void *arg, uint64_t done, uint64_t size);

/* Of a mirror that can be written, whose tree is the beginning of the log's. `sync`: the row of
 * this run, which says then that it was accepted; 0: there is none. ERR_CONFLICT: a checkpoint that
 * was signed before is contradicted by what came now. */
int mirror_import(struct mirror *, struct audit_log *, int64_t sync, mirror_progress *, void *arg,
                  struct err *e);
/* All of it, into memory: for who has a folder and no mirror. */
struct mirror *mirror_of(struct audit_log *, struct err *e) OWNED(mirror_close);
