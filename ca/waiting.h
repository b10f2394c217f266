/* SPDX-License-Identifier: Apache-2.0 */
/*
 * waiting.h - requests that wait for officers: which RA is told what becomes of them, and what is
 * to be done when nobody asks (the last approval came, it is too late, the registration is gone).
 * What waits is in ca.db; here is only who is told, so a restart loses nothing: RAs ask again.
 * Private to nfpki-ca.
 */
#pragma once

#include "ca/daemon.h"

void waiting_free(struct waiting *);
struct waiting *waiting_new(struct ca *, struct err *e) OWNED(waiting_free);

/* Looks at once, and from now on every few seconds, for what is due. */
void waiting_look(struct waiting *);
/* WAITING was said to this RA about the rid. */
void waiting_watch(struct waiting *, struct span rid, link_peer);
/* What became of it (ISSUED, REFUSED) goes to who was told to wait, unless that is `answered`, who
 * has it already. */
void waiting_tell(struct waiting *, link_peer answered, const struct link_message *);
