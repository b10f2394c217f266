/* SPDX-License-Identifier: Apache-2.0 */
/* register.h - REGISTER and CANCEL of the link, the end of registrations and certificates by
 * officers. Private to nfpki-ca. */
#pragma once

#include "ca/daemon.h"

/* The CMS is verified, its registrar must be known to ca.db and not revoked, and the nfInstanceId
 * free. A refusal decides nothing for later: the same registration may be sent again. */
void register_submit(struct ca *, link_peer, const struct link_message *m);
/* Closes the registration and revokes what is live under it (R38); takes rights away only, so the
 * RA's word is enough. Answered when a CRL with it is published, or tried again. */
void register_cancel(struct ca *, link_peer, const struct link_message *m);
/* The same by an officer: {"registration": id}. Answers {"registration", "revoked", "already"}. */
void cancel_officer(struct ca *, struct admin_call *call, const json_t *request);

/* Answers `call` when a CRL with it is published. */
void revoke_officer(struct ca *, struct admin_call *call, const json_t *request);
