/* SPDX-License-Identifier: Apache-2.0 */
/*
 * unconfirmed.h - certificates whose certConf does not come: after confirm_wait they count as
 * rejected (RFC 9483 4.1.1) and are revoked.
 *
 * The CA knows this by itself and believes no RA in it. A certConf may be on its way in an RA's
 * queue, which is sent after each new connection; so the time runs only while an RA has been
 * connected for all of it. What replaces something at its confirmation (a kur, a registration that
 * supersedes another) is always ended so; other certificates when nfpki-ca.conf says
 * unconfirmed = "revoke" and their request did not ask for implicitConfirm.
 * On the loop's thread. Private to nfpki-ca.
 */
#pragma once

#include "ca/daemon/daemon.h"

void unconfirmed_free(struct unconfirmed *);
struct unconfirmed *unconfirmed_new(struct ca *) OWNED(unconfirmed_free);

/* An RA said HELLO: its queue is coming. */
void unconfirmed_connected(struct unconfirmed *);
