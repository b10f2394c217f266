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

/* Are the seals in it those that were written last? With `rows`: and is each one's row there, as it
 * was written? They become noted, and the bucket opened. *seen, which may be NULL: how many there
 * are. */
int bucket_check(struct sealed *, struct store_db *, uint32_t bucket, bool rows,
                 const struct asker *, size_t *seen, struct err *e);
/* With the rows at the first time since the start; `each_use`: else the seals, once in each
 * transaction. */
int bucket_use(struct sealed *, struct store_db *, uint32_t bucket, bool each_use,
               const struct asker *, struct err *e);
/* Since the start. */
bool bucket_is_checked(const struct sealed *, uint32_t bucket);
/* All that there is in it is made now. */
void bucket_is_new(struct sealed *, uint32_t bucket);
/* In this transaction; NULL: it was not. */
const struct opened *bucket_opened(const struct sealed *, uint32_t bucket);
/* When the transaction ends. */
void bucket_forget(struct sealed *);
