/* SPDX-License-Identifier: Apache-2.0 */
/* register.h - REGISTER and CANCEL of the link, the end of registrations and certificates by
 * officers. Private to nfpki-ca. */
#pragma once

#include "ca/daemon/daemon.h"

/* The CMS is verified, its registrar must be known to ca.db and not revoked, and the nfInstanceId
 * free. A refusal decides nothing for later: the same registration may be sent again. */
void register_submit(struct ca *, link_peer, const struct link_message *m);
/* Closes the registration and revokes what is live under it (R38): on the signature of a registrar
 * (registration/cancellation.h), whoever brings it. Answered when a CRL with it is published, or
 * tried again. */
void register_cancel(struct ca *, link_peer, const struct link_message *m);
/* The same by an officer, who stands in the record: {"registration": id}. Answers {"registration",
 * "revoked", "already"}. */
void cancel_officer(struct ca *, struct admin_call *call, const json_t *request);

/* Answers `call` when a CRL with it is published. */
void revoke_officer(struct ca *, struct admin_call *call, const json_t *request);
