/* SPDX-License-Identifier: Apache-2.0 */
/*
 * messages.h - what the leaves name by its SHA-256 (ledger/messages.h), when the folder has those:
 * each is hashed. A log without messages is whole without them, or with others, and so is the
 * folder before they are asked for. What is wrong after all tries is kept as it came, beside
 * NAME.wrong, which says why, and is asked for again the next time.
 */
#pragma once

#include "db/audit/fetch/bring.h"

/* The result's files grow by those that came, each in the place of what an earlier checkpoint had
 * of it. */
int messages_bring(const struct bring *, struct audit_log *, struct fetch_result *, struct err *e);
