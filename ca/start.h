/* SPDX-License-Identifier: Apache-2.0 */
/* start.h - how nfpki-ca begins and ends. Private to nfpki-ca. */
#pragma once

#include "ca/due/recover.h"

/*
 * A start, in an order that a crash at any point may begin again: certificates; signers (each reads
 * its journal); the record (daemon/record.h: a state that is refused stays as it is); intents
 * (due/recover.h); leaves, checkpoint (ca_begin); the first CRL; the link.
 * `ca->conf` is loaded. Blocking, in the main thread. On failure: ca_close().
 */
int ca_open(struct ca *, struct err *e);
/* The first two of these: certificates, signers. On failure and after success: ca_close(). */
int ca_open_signers(struct ca *, struct err *e);
/* Blocking, when what a stop left behind has been resolved. */
int ca_begin(struct ca *, struct recovery, struct err *e);
/* The first of these alone, the files that the configuration names: nothing is opened or changed.
 * On failure and after success: ca_close(). */
int ca_check(struct ca *, struct err *e);
/* The leaf STOP and a last checkpoint, when everything else has ended. */
int ca_finish(struct ca *, const char *reason, struct err *e);
void ca_close(struct ca *);
