/* SPDX-License-Identifier: Apache-2.0 */
/*
 * journals.h - each line of our signers' journals is compared with the record (compare.h): at start
 * before anything is signed, whenever a signer comes back before it signs again, and all the time
 * while the daemon runs. What belongs to nothing ends the program. Private to nfpki-ca.
 */
#pragma once

#include "ca/daemon/daemon.h"
#include "ca/journals/compare.h"
#include "db/issuance/journal.h"

void journals_free(struct journals *);
/* At start, blocking, in the main thread. ERR_STALE as compare_step(). First, in admit of the
 * record (record.h): the same, and nothing of it is kept; then, when the record is open. */
int journals_look(struct ca *, struct store_db *, struct err *e);
int journals_open(struct ca *, struct err *e);
/* At a stop: what was signed since the last time, so that any signer may be left out at the next
 * start. What does not succeed is logged, and left to that. */
void journals_end(struct ca *);
/* In admit: the first line that belongs to nothing; nothing is logged. */
int journals_unknown(struct ca *, struct store_db *, struct unknown_line *, struct err *e);
/* From then on, with the loop. */
struct journals *journals_new(struct ca *) OWNED(journals_free);

/* For `status`, in a store operation: how far the journal of this signer is compared. */
int journals_row(struct store_db *, const struct signer *, const struct ca_signer *,
                 enum issuance_journal_kind, struct issuance_journal *, struct err *e);
