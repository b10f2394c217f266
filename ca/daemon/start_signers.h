/* SPDX-License-Identifier: Apache-2.0 */
/* start_signers.h - the signers of the issuing key and of the log's, at a start. Private to
 * nfpki-ca. */
#pragma once

#include "ca/daemon/daemon.h"

/* Starts or connects to all of them: ca->issuing, which has the key of the issuing certificate, and
 * ca->log. Blocking, and patient (signer_start_patiently()). On failure: ca_close(). */
int ca_start_signers(struct ca *, struct err *e);
