/* SPDX-License-Identifier: Apache-2.0 */
/*
 * record.h - ca.db and the ledger, when nfpki-ca starts. Private to nfpki-ca.
 *
 * In this order: what the log's key was asked for last; the CRL that is out; is the database that
 * record (ledger_check), and has it that CRL (published.h)?
 * Up to here nothing is changed: a state that is refused is the same after any number of starts.
 * Then folders; what was read is made durable; schema; do the rows say what the leaves say; has the
 * issuing key's journal what is stored; folder of the ledger, and what a crash left unpublished.
 */
#pragma once

#include "ca/daemon/daemon.h"

/* ca->store and ca->ledger; the signers are there. Blocking, in the main thread. ERR_STALE when the
 * state is older, or another, than what was signed. */
int ca_record_open(struct ca *, struct err *e);
