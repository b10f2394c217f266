/* SPDX-License-Identifier: Apache-2.0 */
/*
 * watchers.h - which RA is told what becomes of a request that waits for officers. What waits is in
 * ca.db; here is only who is told, so a restart loses nothing: RAs ask again. Private to nfpki-ca.
 */
#pragma once

#include "ca/daemon/daemon.h"

void watchers_free(struct watchers *);
struct watchers *watchers_new(struct ca *) OWNED(watchers_free);

/* WAITING was said to this RA about the rid. */
void watchers_add(struct watchers *, struct span rid, link_peer);
/* What became of it (ISSUED, REFUSED) goes to who was told to wait, unless that is `answered`, who
 * has it already. */
void watchers_tell(struct watchers *, link_peer answered, const struct link_message *);
