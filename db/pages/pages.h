/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pages.h - a file of SQLite that only who has the key can have written.
 *
 * A VFS of SQLite over the system's own, for one connection to one file, which is its only writer
 * (locking_mode=EXCLUSIVE, journal_mode=WAL, cache_spill=OFF). Each page that SQLite reads is
 * compared with its seal at that moment: rows, indices, the schema, what is not there. The seal is
 * HMAC-SHA-256, 16 octets of it, under a key that comes from a token. What is found is a page that
 * was edited, another one in its place, or one of before with the seal of before.
 *
 * Three files:
 *   FILE       as SQLite wrote it; anybody can read it once it was closed
 *   FILE-seal  the seals of all its pages in a tree, whose root has a number and a seal (map.h).
 *              Written anew with each checkpoint, so that a crash leaves the old tree or the new
 *   FILE-wal   its frames have what changed of a page, and seals, each over the one before (wal.h):
 *              its end can be cut off, as a crash does, but nothing in it can be another. SQLite
 *              sees pages
 *
 * What is not found here: all three put back together, and a WAL that was cut short: that is a
 * whole state of before. Whoever opens the file asks what else was signed since.
 *
 * A file that has no FILE-seal is not sealed until pages_seal(): a new one before anything is in
 * it, another one when somebody has verified what is in it. Until then, and without a key, pages
 * are remembered in memory, under a random key: what was read or written once is the same later,
 * and what was done before is not found.
 *
 * Hot rollback journals are never played back into a sealed file: there is none of ours.
 *
 * For db/store/connection.c only. One thread at a time. Does not: log, know a table, get a key.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

enum { PAGES_KEY_SIZE = 32 };

struct pages_options {
    struct span key; /* PAGES_KEY_SIZE octets, not kept; empty: there is none */
    /* May be NULL. Then what is wrong is told, "page 17", and the page is given as it is: for who
     * wants to see all of it, also without a key, when the file was closed. Nothing may be written
     * then. */
    void (*tell)(void *arg, const char *what);
    void *tell_arg;
};

struct pages;
/* After the connection is closed. */
void pages_free(struct pages *);
struct pages *pages_new(const struct pages_options *, struct err *e) OWNED(pages_free);
DEFINE_CLEANUP(pages_cleanup, struct pages, pages_free)
/* For sqlite3_open_v2(). The file is looked at when SQLite gets its first lock. */
const char *pages_vfs(const struct pages *);

/* 0: nothing was found so far. Else what, once it was found for ever: ERR_STALE "page 17 ...",
 * ERR_DENIED when the file is sealed and there is no key, or it was sealed under another one. The
 * caller puts the path in front. Calls of SQLite that came upon it failed (SQLITE_IOERR_DATA). */
int pages_check(const struct pages *, struct err *e);

bool pages_has_key(const struct pages *);
/* The file is sealed: after the first lock. */
bool pages_is_sealed(const struct pages *);
/* Pages that the file has. */
uint64_t pages_count(const struct pages *);

/* Outside of a transaction, when all that the WAL had is in the file, and it was truncated: reads
 * all of the file, writes FILE-seal, durably. Not when it is sealed. There is a key, and no `tell`.
 */
int pages_seal(struct pages *, struct err *e);

/* Compares up to `max` pages of the file itself, from number *page on (0: from the first), which
 * becomes the one to go on with. *seen: so many. *end: the last one was among them, and *page is 0
 * again. Not sealed: at the end at once. One that differs is as one that SQLite reads (ERR_STALE),
 * but for those whose newer content is in the WAL. */
int pages_scrub(struct pages *, uint64_t *page, uint64_t max, uint64_t *seen, bool *end,
                struct err *e);
