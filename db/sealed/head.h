/* SPDX-License-Identifier: Apache-2.0 */
/* head.h - the one row over all seals. Private to db/sealed/. */
#pragma once

#include "db/sealed/context.h"

/* Is there one? */
int head_exists(struct store_db *, bool *there, struct err *e);
/* Reads it into the context, which has a key, and all seals; sealed_open() says what is refused. */
int head_open(struct sealed *, struct store_db *, struct err *e);
/* Writes it as it is in the context, under a new nonce. */
int head_store(struct sealed *, struct store_db *, struct err *e);
/* Leaves that there are, or this commit's number; `changes`: it is one that counts. */
int head_leaves(const struct sealed *, struct store_db *, bool changes, uint64_t *leaves,
                struct err *e);
