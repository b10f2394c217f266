/* SPDX-License-Identifier: Apache-2.0 */
/* chain.h - a WAL that is sealed, as SQLite reads and writes it. For wal.c. */
#pragma once

#include "db/pages/wal.h"

/* Reads all of it, as far as it is whole. */
int chain_load(struct wal *);
/* Nothing is in it any more. */
void chain_forget(struct wal *);
int chain_read(struct wal *, uint8_t *out, size_t amount, sqlite3_int64 offset);
int chain_write(struct wal *, const struct slot *slot, const uint8_t *from, size_t amount,
                sqlite3_int64 offset);
int chain_truncate(struct wal *, sqlite3_int64 size);
sqlite3_int64 chain_size(const struct wal *);

/* "nfpkiwal" is where it begins. */
bool chain_is_any(const uint8_t *header, size_t n);
