/* SPDX-License-Identifier: Apache-2.0 */
/*
 * on_trust.h - rows of a file without seals, before it gets them: what is compared with the record
 * once, and what nobody can compare. tests/unit/db/issuance/on_trust.c edits every column and
 * proves the list.
 */
#pragma once

#include "base/buf.h"
#include "db/store/store.h"

enum { ISSUANCE_ON_TRUST_MAX = 1024 };

/* Each file of a leaf CONFIG has the setting that its newest says, and a CRL that a restore took
 * over is the newest RESTORED's; there are no other settings but those of migrations. Reads all
 * leaves of these kinds. ERR_STALE. */
int issuance_settings_check(struct store_db *, struct err *e);

/* What no leaf has, as far as there are rows of it: "table.column", "table" or a few words each, a
 * comma and a blank apart, in ISSUANCE_ON_TRUST_MAX octets; nothing when there are none. What a row
 * has of the content of a registration is not among it: each use compares that with what was
 * signed. */
int issuance_on_trust(struct store_db *, struct buf *names, struct err *e);
