/* SPDX-License-Identifier: Apache-2.0 */
/* packing.h - what a connection has for packed.h. Private to db/store/. */
#pragma once

#include <sqlite3.h>

#include "db/store/packed.h"

struct packing;
void packing_free(struct packing *);
struct packing *packing_new(void) OWNED(packing_free);
/* Dictionaries of before may not be there any more. */
void packing_undone(struct packing *);
/* unpacked(X) for `sqlite`, which is db's. Returns an SQLite result code. */
int packing_register(struct store_db *, sqlite3 *sqlite);
