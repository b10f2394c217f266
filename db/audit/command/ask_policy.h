/* SPDX-License-Identifier: Apache-2.0 */
/* ask_policy.h - --policy: what a file says about logs and witnesses, and a ledger that is held
 * against it. */
#pragma once

#include "db/audit/files.h"
#include "db/audit/witness/witnessed.h"

/* What --policy names; NULL and EXIT_VERIFIED when it is not given. Else the exit status, after the
 * reason was printed. */
int ask_policy(struct tlog_policy **);
/* As ask_ledger(); a policy that names logs says which key is trusted, when none is given. */
int ask_policy_ledger(const struct tlog_policy *, struct audit_log **);
/* A view of the folder, which must outlive it. */
struct witnessed_log ask_policy_view(struct audit_log *);
/* The note that the i-th witness gave back, in its file of this name; it may not be there. */
int ask_policy_note(const struct tlog_policy *, size_t i, struct audit_log *,
                    char name[AUDIT_NAME_MAX], struct buf *note, bool *found, struct err *e);
/* Its checkpoint, and the notes that witnesses gave back (witness/KEYID beside it). ERR_DENIED when
 * the quorum is not reached. */
int ask_policy_check(const struct tlog_policy *, struct audit_log *, struct witnessed *,
                     struct err *e);
