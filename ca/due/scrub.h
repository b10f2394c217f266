/* SPDX-License-Identifier: Apache-2.0 */
/*
 * scrub.h - all rows are compared with the record, and all pages with their seals, all the time
 * (db/issuance/scrub.h): one short store operation after the other, with pauses, so that it takes
 * scrub_share percent of the time of the database's thread at most.
 *
 * Of the leaves that were compared the published files are there, or are made again.
 *
 * What does not agree ends the program, as a database that fails does: nothing is answered from it.
 * Private to nfpki-ca.
 */
#pragma once

#include "ca/daemon/daemon.h"

void scrub_free(struct scrub *);
struct scrub *scrub_new(struct ca *) OWNED(scrub_free);
/* The link is open: it goes on where it was. */
void scrub_begin(struct scrub *);

/* For status, in a store operation; owned JSON, NULL + e. */
json_t *scrub_status(const struct scrub *, struct store_db *, time_t now, struct err *e);
/* In the last store operation: the next start goes on from here. */
int scrub_keep(const struct scrub *, struct store_db *, struct err *e);
