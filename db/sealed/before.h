/* SPDX-License-Identifier: Apache-2.0 */
/*
 * before.h - heads that an earlier version wrote: over buckets, of which each had a row with a
 * nonce and the sum of its own seals. That was a page more to write for each owner in each commit.
 * Such a head is verified with all that it is over, and the next commit writes one of now. Private
 * to db/sealed/.
 */
#pragma once

#include "db/sealed/context.h"

/* Adds the term of each bucket, once its sum is that of its seals; *seals: how many those are. */
int before_add(struct sealed *, struct store_db *, uint8_t sum[SUM_SIZE], uint64_t *seals,
               struct err *e);
/* They are no longer of use. */
int before_remove(struct store_db *, struct err *e);
