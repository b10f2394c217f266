/* SPDX-License-Identifier: Apache-2.0 */
/* officer.h - a certificate for a process or a person of ours, that an officer asks for. Private to
 * nfpki-ca. */
#pragma once

#include "ca/request/request.h"

/* Answers `call` with {"certificate": PEM, "serial": hex}. */
void request_officer(struct ca *, struct admin_call *call, const json_t *request);
