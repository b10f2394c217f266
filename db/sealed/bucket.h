/* SPDX-License-Identifier: Apache-2.0 */
/* bucket.h - seals, and those of one bucket with their rows. Private to db/sealed/. */
#pragma once

#include "db/sealed/row.h"

int seal_load(struct store_db *, const struct sealed_table *, uint32_t bucket, struct span key,
              struct seal *, bool *there, struct err *e);
int seal_store(struct store_db *, const struct sealed_table *, struct span key, const struct seal *,
               struct err *e);
int seal_remove(struct store_db *, const struct sealed_table *, struct span key,
                const struct seal *, struct err *e);

/* A row of the table of seals: bucket, tbl, key, leaf, mac; the key is borrowed. A violation when
 * it is none. */
int seal_read(struct sealed *, const struct store_rows *, const struct sealed_table **,
              struct span *key, struct seal *, struct err *e);
/* Compares its row with it, unless that was done in this transaction: it may be another by now. */
int seal_check(struct sealed *, struct store_db *, const struct sealed_table *, struct span key,
               const struct seal *, bool note, struct err *e);

/* At the first time since the start: is the row of each seal in it there, as it was written? They
 * become noted. That the seals are those that were written last was found at the start, and what is
 * found is true until this program changes it: nobody else can (db/pages/pages.h). */
int bucket_use(struct sealed *, struct store_db *, uint32_t bucket, struct err *e);
bool bucket_is_checked(const struct sealed *, uint32_t bucket);
