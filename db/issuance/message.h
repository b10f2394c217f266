/* SPDX-License-Identifier: Apache-2.0 */
/*
 * message.h - what requests were made with, for who publishes it (db/ledger/messages.h): out of the
 * evidence in the rows, where it stands with what an RA signed about it (ca/cmp/submission.h).
 */
#pragma once

#include "db/ledger/ledger.h"

/* A ledger_message. What was wrapped as RAs of before did is not found, and what has a secret is
 * none: passwords and private keys that clients sent are for nobody. */
int issuance_message(struct store_db *, const struct message *, struct buf *out, struct err *e);
