/* SPDX-License-Identifier: Apache-2.0 */
/*
 * file_seal.h - whose file ra.db is: the key under which its pages are sealed (db/pages/pages.h),
 * derived from what the RA's token derives (seal_key.h): another use, another key.
 *
 * The file of earlier times seals no pages: whoever can read it can write ra.db.
 *
 * A new ra.db is sealed from its first commit. One with pages and no ra.db-seal is sealed as it is
 * on a person's word alone (ra->may_seal, the option --seal): all that the file itself tells of its
 * age is what somebody who took the seals away would write.
 */
#pragma once

#include "db/store/store.h"
#include "ra/daemon/ra.h"

/* For store_options.seal_key, into `out`, a BUF_SECRET: of ra->seal_key, which the token derived.
 */
int file_seal_key(const struct ra *, struct buf *out, struct err *e);
/* store_options.admit, with a struct ra: may this file be opened? An unsealed one is looked at as a
 * whole (PRAGMA integrity_check). ERR_STALE: pages without seals, with a key and no ra->may_seal;
 * ERR_INPUT: ra->may_seal, and it is sealed, or there is no key. */
int file_seal_admit(void *arg, struct store_db *, struct err *e);
/* What file_seal_admit() took without seals is sealed as it is, when all that was looked at in it
 * was found good. Blocking. */
int file_seal_begin(struct ra *, struct err *e);
/* In an operation, or in an admit: the whole file as SQLite sees it. ERR_STORE: the first thing
 * that is wrong. */
int file_seal_integrity(struct store_db *, struct err *e);
