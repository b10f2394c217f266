/* SPDX-License-Identifier: Apache-2.0 */
/* role.h - ROLE of the link: who is the holder of a certificate? Private to nfpki-ca. */
#pragma once

#include "ca/daemon/daemon.h"

/* Answers ROLE_IS with what the record says now. */
void role_tell(struct ca *, link_peer, const struct link_message *m);
