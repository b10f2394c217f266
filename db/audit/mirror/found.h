/* SPDX-License-Identifier: Apache-2.0 */
/* found.h - what `lint` and `check` found, kept in the mirror that they judged (tables
 * finding and judged). */
#pragma once

#include "db/audit/lint/findings.h"
#include "db/audit/mirror/mirror.h"

/* Of leaves from `from` on these are all that there are now, and they take the place of what was
 * kept of those leaves. By `check`, they are those of `lint`, too. By another connection than the
 * mirror's, which only reads: ERR_BUSY while an import goes on, ERR_STORE when it cannot be
 * written; then nothing is changed. */
int mirror_keep(const struct mirror *, bool by_check, uint64_t from, const struct findings *,
                struct err *e);
/* How many errors of leaves before `from` are kept. */
int mirror_kept_errors(const struct mirror *, bool by_check, uint64_t from, uint64_t *n,
                       struct err *e);
