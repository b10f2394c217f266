/* SPDX-License-Identifier: Apache-2.0 */
/*
 * messages.h - what the leaves name by its SHA-256 (ledger/messages.h), when the folder has those:
 * each is hashed before it is kept. A log without messages is whole without them, and so is the
 * folder before they are asked for.
 */
#pragma once

#include "db/audit/fetch/bring.h"

/* *files grows by those that came, each in the place of what an earlier checkpoint had of it;
 * *absent: files that the source does not have. ERR_INPUT: what it has is not what the leaves name.
 */
int messages_bring(const struct bring *, struct audit_log *, uint64_t *files, uint64_t *absent,
                   struct err *e);
