/* SPDX-License-Identifier: Apache-2.0 */
/*
 * seals.h - the seals of the pages of ca.db (db/pages/pages.h), under the key that the token of the
 * log's key derives. Private to nfpki-ca.
 */
#pragma once

#include <jansson.h>

#include "ca/daemon/daemon.h"

/* ca->seal_key, of the log's signer; empty when that has none. */
int ca_seals_key(struct ca *, struct err *e);
/* In admit, when the record is the one that was signed: a file without seals is one that never had
 * any, or ca->may_seal and an earlier version sealed its rows. ERR_STALE: they were taken away. */
int ca_seals_check(const struct ca *, struct store_db *, struct err *e);
/* When it is open and its rows were compared with the record: one that has no seals, and could,
 * gets them. */
int ca_seals_begin(struct ca *, struct err *e);
/* In the operation of a START, behind its leaf: the record says that ca.db is sealed. */
int ca_seals_say(struct store_db *, time_t now, struct err *e);
/* In an operation: {"state": "sealed", "pages": 12}. Owned. */
json_t *ca_seals_status(const struct store_db *) __attribute__((warn_unused_result));
