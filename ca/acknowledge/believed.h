/* SPDX-License-Identifier: Apache-2.0 */
/*
 * believed.h - a leaf ACKNOWLEDGED is verified before a line is gone past by it. A kill may have
 * left it where no signed checkpoint covers it, and then whoever has the key that seals ca.db could
 * have put it there: but for what two officers signed.
 */
#pragma once

#include "ca/daemon/daemon.h"

/* In a store operation or in admit. Both signatures verify, over one text that is about this line,
 * with these words, behind these very leaves; their certificates were good at the leaf's time, and
 * officers' of two persons, by leaves before it. ERR_STALE: ca.db was edited. */
int acknowledged_believe(const struct ca *, struct store_db *, const struct leaf *, uint64_t index,
                         struct err *e);
