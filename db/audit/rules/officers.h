/* SPDX-License-Identifier: Apache-2.0 */
/*
 * officers.h - what two officers signed together: `officer`, `cms`, `secondOfficer`, `secondCms`,
 * and `plan`, the SHA-256 of the text. Private to the rules of leaves that have these members.
 */
#pragma once

#include "db/audit/rules/holder.h"

/* Is what was signed about this leaf? ERR_CRYPTO. */
typedef int audit_officers_fits(const void *arg, struct span content, const struct leaf *,
                                struct err *e);

/* Both are officers at this place, their signatures verify over one text that fits, and they are
 * two persons. ERR_CRYPTO. */
int audit_officers_check(const struct audit_holders *, const struct leaf *, audit_officers_fits *,
                         const void *arg, struct err *e);
