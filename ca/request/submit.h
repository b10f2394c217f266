/* SPDX-License-Identifier: Apache-2.0 */
/* submit.h - what an RA submits, or an officer, begins its way. Private to nfpki-ca. */
#pragma once

#include "ca/request/kind/request.h"

/* A SUBMIT; `m` is borrowed during the call. BUSY when this rid is on its way already, or there are
 * too many. */
void request_submit(struct ca *, link_peer, const struct link_message *m);
/* A certificate for a process or a person of ours: answers `call` with {"certificate": PEM,
 * "serial": hex}. */
void request_officer(struct ca *, struct admin_call *call, const json_t *request);
