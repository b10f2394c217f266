/* SPDX-License-Identifier: Apache-2.0 */
/*
 * acknowledged.h - what must be true of an ACKNOWLEDGED leaf: two officers, who were officers by
 * the leaves before, signed a text that names the line of the journal as the leaf does, with the
 * reason, and that is of these leaves.
 */
#pragma once

#include "base/tlog/merkle.h"
#include "db/audit/rules/holder.h"

/* `edge`: of the leaves before. ERR_CRYPTO. */
int audit_acknowledged_check(const struct audit_holders *officers, const struct merkle_edge *edge,
                             const struct leaf *, struct err *e);
