/* SPDX-License-Identifier: Apache-2.0 */
/*
 * key_owner.h - whose key it is that was certified. Private to db/issuance/.
 *
 * The table public_key has every key that was ever to be certified, with its owner: the
 * nfInstanceId, or "infrastructure" of what has no registration. No leaf has such a row, but each
 * leaf ISSUED has the key, so the row of each key that was certified is asked for. One more row,
 * of a key that was not, makes that key unusable, and no more.
 */
#pragma once

#include "db/issuance/rows.h"

/* The key in `der`, the certificate with this serial number, is its owner's. One that was adopted
 * is nobody's (rebuild/restored.h): its key may have been a network function's before. ERR_STALE.
 */
int key_owner_check(struct store_db *, struct span serial, struct span der, struct err *e);
