/* SPDX-License-Identifier: Apache-2.0 */
/* unhex.h - the SQL function of SQLite 3.41, for those before: migrations make octets of text.
 * Private to db/store/. */
#pragma once

#include <sqlite3.h>

/* unhex(X): the octets whose hex digits, of either case, X is; NULL when it is anything else. Not
 * for triggers, views and indexes. Returns an SQLite result code. */
int unhex_register(sqlite3 *);
