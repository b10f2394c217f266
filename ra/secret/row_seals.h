/* SPDX-License-Identifier: Apache-2.0 */
/*
 * row_seals.h - the seals of the rows of ra.db (db/sealed/sealed.h), under a key that is derived
 * from what the RA's token derives (seal_key.h): another use, another key.
 *
 * The file of earlier times seals no rows: whoever can read it can write ra.db.
 *
 * Rows without seals are sealed as they are on a person's word alone (ra->may_seal, the option
 * --seal): all that the file itself tells of its age, its schema too, is what somebody who took
 * the seals off would write.
 */
#pragma once

#include "db/sealed/sealed.h"
#include "ra/daemon/ra.h"

/* ra->row_seals; before the store, which gets it. `of_token`: of ra->seal_key; else there is no
 * key. */
int row_seals_new(struct ra *, bool of_token, struct err *e);
/* After the store. */
void row_seals_free(struct ra *);
/* The first operation of the store: are its rows ours, and its tables what this program makes?
 * Blocking; seals nothing. ERR_DENIED: they have seals, and there is no key, or another;
 * ERR_STALE: edited or put back, or there are rows without seals and no ra->may_seal; ERR_STORE:
 * other tables; ERR_INPUT: ra->may_seal, and they are sealed, or there is no key. */
int row_seals_open(struct ra *, struct err *e);
/* What row_seals_open() took without seals is sealed as it is, when all that was looked at in it
 * was found good. Blocking. ERR_STALE: it is not what it was then. */
int row_seals_begin(struct ra *, struct err *e);
/* In an operation of the store: sealed_state_name(), and how many rows are sealed. */
const char *row_seals_state(const struct store_db *, uint64_t *rows);
