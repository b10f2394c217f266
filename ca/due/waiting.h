/* SPDX-License-Identifier: Apache-2.0 */
/*
 * waiting.h - requests that wait for officers, when nobody asks: the last approval came, it is too
 * late, the registration is gone. They are submitted as an RA would. Private to nfpki-ca.
 */
#pragma once

#include "ca/daemon/daemon.h"

void waiting_free(struct waiting *);
struct waiting *waiting_new(struct ca *) OWNED(waiting_free);

/* Looks at once, and from now on every few seconds, for what is due. */
void waiting_look(struct waiting *);
