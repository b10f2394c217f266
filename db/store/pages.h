/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pages.h - nobody else changes the file while we have it open.
 *
 * The one connection is the only writer (locking_mode=EXCLUSIVE), but a lock stops nobody who has
 * the right to write. So each page that is read of the file or of its WAL, or written, is
 * remembered by a keyed hash, and what is read of it later must be the same. What was verified once
 * is true until we change it ourselves: whatever rests on pages that were read before (a row that
 * is there, one that is not, an entry of an index) needs no second look, and db/sealed/ takes none.
 *
 * A page that was not read since the opening is taken as it is then: what was done to it before is
 * found by whoever verifies it (db/sealed/, the record's signatures). After
 * store_options.integrity_check there is none.
 *
 * The hash is Poly1305 under one random key. It may be used for many pages, since neither key nor
 * hashes ever leave this process: then it is a universal hash, and two pages that somebody chose
 * have the same one with probability 2^-95.
 *
 * Costs 16 octets for each page of the file: 4 MB for each GB. It is a VFS of SQLite over the
 * system's own. A part of a page is read with the whole of it. What is outside of pages (the
 * headers of the WAL and of its frames, which are read at the opening alone) is not remembered. For
 * connection.c only.
 */
#pragma once

#include "base/err.h"
#include "base/mem.h"

struct pages;
/* After the connection is closed. */
void pages_free(struct pages *);
struct pages *pages_new(struct err *e) OWNED(pages_free);
DEFINE_CLEANUP(pages_cleanup, struct pages, pages_free)
/* For sqlite3_open_v2(). */
const char *pages_vfs(const struct pages *);
/* NULL: no page was another than it was. Else which: "page 7", "page 7 of its WAL". */
const char *pages_altered(const struct pages *);
