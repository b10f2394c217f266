/* SPDX-License-Identifier: Apache-2.0 */
/* approve.h - what officers decide about requests that wait, and what waits. Private to nfpki-ca.
 */
#pragma once

#include "ca/daemon/daemon.h"

/* {"cms": base64}: an approval (registration/approval.h). Answers `call` when the record of it is
 * published: {"rid", "decision", "already", "approved", "approvals", "state"}; state is waiting,
 * approved (it goes on to be issued), refused, or closed (what this person decided before, and it
 * waits no more). */
void approve_officer(struct ca *, struct admin_call *call, const json_t *request);

/* {"rid": hex} or nothing: {"pending": [...]}, oldest first. */
void pending_officer(struct ca *, struct admin_call *call, const json_t *request);
