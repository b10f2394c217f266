/* SPDX-License-Identifier: Apache-2.0 */
/* witness.h - cosignatures that come back from witnesses. Private to nfpki-ca. */
#pragma once

#include "ca/daemon/daemon.h"

/* {"note": text}: a checkpoint of ours with lines of witnesses whom the configuration names.
 * Answers {"size", "published", "older"} when they are beside the ledger. */
void witness_officer(struct ca *, struct admin_call *call, const json_t *request);
