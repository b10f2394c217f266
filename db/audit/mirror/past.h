/* SPDX-License-Identifier: Apache-2.0 */
/* past.h - what rules ask for instead of remembering it (db/audit/rules/past.h), from the rows of
 * the leaves before. Private to db/audit/mirror/. */
#pragma once

#include "db/audit/mirror/sql.h"
#include "db/audit/rules/past.h"

struct audit_past past_of(struct sql *);
