/* SPDX-License-Identifier: Apache-2.0 */
/* inclusion.h - what shows a signer that the ledger has a leaf. Private to nfpki-ca. */
#pragma once

#include "db/ledger/ledger.h"

/* Leaf `index`, which `note`, the checkpoint over the first `size`, covers: as
 * pkcs11/client/evidence.h has it. Replaces `out`. In a store operation. */
int inclusion_prove(struct store_db *, uint64_t index, struct span note, uint64_t size,
                    struct buf *out, struct err *e);
