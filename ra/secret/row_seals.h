/* SPDX-License-Identifier: Apache-2.0 */
/*
 * row_seals.h - the seals of the rows of ra.db (db/sealed/sealed.h), under a key that is derived
 * from what the RA's token derives (seal_key.h): another use, another key.
 *
 * The file of earlier times seals no rows: whoever can read it can write ra.db.
 */
#pragma once

#include "db/sealed/sealed.h"
#include "ra/daemon/ra.h"

/* ra->row_seals; before the store, which gets it. `of_token`: of ra->seal_key; else there is no
 * key. */
int row_seals_new(struct ra *, bool of_token, struct err *e);
/* After the store. */
void row_seals_free(struct ra *);
/* store_options.admit, with the struct ra as `arg`: is it from before? Sets ra->may_seal. */
int row_seals_admit(void *arg, struct store_db *, struct err *e);
/* The first operation of the store: are its rows ours, and its tables what this program makes?
 * Blocking. ERR_DENIED: they have seals, and there is no key, or another; ERR_STALE: edited or put
 * back; ERR_STORE: other tables. */
int row_seals_open(struct ra *, struct err *e);
/* A state from before (ra->may_seal) is sealed as it is, when all that was looked at in it was
 * found good. Blocking. ERR_STALE: it has no seals, and is not from before: somebody took them. */
int row_seals_begin(struct ra *, struct err *e);
/* In an operation of the store: sealed_state_name(), and how many rows are sealed. */
const char *row_seals_state(const struct store_db *, uint64_t *rows);
