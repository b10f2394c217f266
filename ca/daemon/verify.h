/* SPDX-License-Identifier: Apache-2.0 */
/*
 * verify.h - nfpki-ca --verify: all of ca.db is compared with its record, by whoever wants to know.
 *
 * Blocking, while the daemon does not run. Nothing of the state is changed, and nothing appended.
 * Private to nfpki-ca.
 */
#pragma once

#include "ca/daemon/daemon.h"

/* `ca` has its configuration; the log's signer is started, nothing else. Says figures and
 * differences on standard output. *agrees: none was found, and nothing was left out. On failure and
 * after success: ca_close(). */
int ca_verify(struct ca *, bool *agrees, struct err *e);
