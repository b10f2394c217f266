/* SPDX-License-Identifier: Apache-2.0 */
/* bucket.h - the seals of one bucket, and its sum. Private to db/sealed/. */
#pragma once

#include "db/sealed/row.h"
#include "db/sealed/term.h"

/* For whom a bucket is looked at: a row, or an owner when `table` is NULL, which the reason of a
 * violation names. */
struct asker {
    const struct sealed_table *table;
    struct span key;
};

int bucket_load(struct store_db *, uint32_t bucket, struct bucket_row *, struct err *e);
int bucket_store(struct store_db *, uint32_t bucket, const struct bucket_row *, struct err *e);
/* Is the row that is stored the last that we wrote? */
int bucket_check_tag(struct sealed *, uint32_t bucket, const struct bucket_row *,
                     const struct asker *, struct err *e);

int seal_load(struct store_db *, const struct sealed_table *, uint32_t bucket, struct span key,
              struct seal *, bool *there, struct err *e);
int seal_store(struct store_db *, const struct sealed_table *, struct span key, const struct seal *,
               struct err *e);
int seal_remove(struct store_db *, const struct sealed_table *, struct span key,
                const struct seal *, struct err *e);

/* Is its walk over all seals up to this one? */
bool walk_is_past(const struct walk *, unsigned table, struct span key);
/* With each one its row is compared. The first time since the start: are the seals in it those that
 * were written last, and is each one's row there, as it was written? They become noted. What was
 * found so is true until this program changes it: nobody else can (db/store/pages.h). */
int bucket_use(struct sealed *, struct store_db *, uint32_t bucket, const struct asker *,
               struct err *e);
/* The same in parts, at least one seal each: goes on with sealed->scrub, or begins it; *seen is
 * increased up to `max`. Off again: the bucket is over. Nothing is noted. */
int bucket_scrub(struct sealed *, struct store_db *, uint32_t bucket, size_t max, size_t *seen,
                 struct err *e);
/* All that there is in it is made now. */
void bucket_is_new(struct sealed *, uint32_t bucket);
/* Since the start. */
bool bucket_is_checked(const struct sealed *, uint32_t bucket);
