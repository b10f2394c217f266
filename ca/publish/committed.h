/* SPDX-License-Identifier: Apache-2.0 */
/*
 * committed.h - tells the signer of the log that what it signed last is committed and stored, so
 * that it says so in its token: at start and end, with each CRL and each minute. The token is the
 * memory that no copy of our files has (nfpki-ca(8), Older states); what is written there is the
 * signer's own last checkpoint, and no number of ours. Private to nfpki-ca.
 *
 * When another signer has taken the log over, the program ends (ca_die).
 */
#pragma once

#include <jansson.h>

#include "ca/daemon/daemon.h"

struct committed;
void committed_free(struct committed *);
struct committed *committed_new(struct ca *) OWNED(committed_free);

/* At start and end, without the loop, when everything that was signed is stored. From the first
 * one on it is said each minute. Nothing where the signer keeps no anchor. */
int committed_now(struct committed *, struct err *e);

/* Soon: as soon as no checkpoint is under way. */
void committed_say(struct committed *);
/* A checkpoint goes to the signer; it is stored. */
void committed_wait(struct committed *);
void committed_go(struct committed *);

/* For `status`. */
json_t *committed_status(const struct committed *);
