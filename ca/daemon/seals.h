/* SPDX-License-Identifier: Apache-2.0 */
/*
 * seals.h - the seals of the rows of ca.db (db/sealed/sealed.h), under the key that the token of
 * the log's key derives. Private to nfpki-ca.
 */
#pragma once

#include <jansson.h>

#include "ca/daemon/daemon.h"

/* ca->seal_key, of the log's signer; empty when that has none. */
int ca_seals_key(struct ca *, struct err *e);
/* ca->seals, of ca->seal_key; before the store, which gets it. */
int ca_seals_new(struct ca *, struct err *e);
/* After the store. */
void ca_seals_free(struct ca *);
/* In the operation of a START, behind its leaf: a state from before is compared with its record,
 * and sealed. */
int ca_seals_begin(struct store_db *, time_t now, struct err *e);
/* In an operation: {"state": "sealed", "rows": 12}. Owned. */
json_t *ca_seals_status(const struct store_db *) __attribute__((warn_unused_result));
