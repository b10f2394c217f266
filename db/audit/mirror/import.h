/* SPDX-License-Identifier: Apache-2.0 */
/*
 * import.h - the folder of a ledger becomes a mirror: each leaf is verified (db/audit/walk.h,
 * db/audit/rules/) before a row is made of it.
 */
#pragma once

#include "db/audit/files.h"
#include "db/audit/mirror/mirror.h"

/* All of it, into memory: for who has a folder and no mirror. */
struct mirror *mirror_of(struct audit_log *, struct err *e) OWNED(mirror_close);
