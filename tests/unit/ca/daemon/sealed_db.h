/* SPDX-License-Identifier: Apache-2.0 */
/* sealed_db.h - a database file as nfpki-ca has it (db/pages/pages.h), for SQL of any kind: what is
 * written is sealed. One that is not sealed is read and written as it is. */
#pragma once

#include <sqlite3.h>

#include "db/pages/pages.h"

struct store_db;

struct sealed_db {
    struct store_db *store;
    sqlite3 *sqlite; /* its; with unpacked() (db/store/packed.h) */
};
/* Whether what it has is believed, each statement says. */
void sealed_db_open(struct sealed_db *, const char *path, const uint8_t key[PAGES_KEY_SIZE]);
/* Its WAL comes into the file. */
void sealed_db_close(struct sealed_db *);
