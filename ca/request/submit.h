/* SPDX-License-Identifier: Apache-2.0 */
/* submit.h - what an RA submits begins its way. Private to nfpki-ca. */
#pragma once

#include "ca/request/request.h"

/* A SUBMIT; `m` is borrowed during the call. BUSY when this rid is on its way already, or there are
 * too many. */
void request_submit(struct ca *, link_peer, const struct link_message *m);
