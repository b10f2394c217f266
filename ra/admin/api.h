/* SPDX-License-Identifier: Apache-2.0 */
/*
 * api.h - the door over HTTPS with mutual TLS: /v1/registrations, /v1/cancellations and
 * /v1/imports (openapi.yaml) become commands (command.h), for the operator's OAM and for officers
 * on other machines.
 *
 * Who asks is told by the certificate of the TLS client: one that our issuing CA issued, valid and
 * not revoked now, on the authority of the CRLs of `admin_crls`; without current ones nobody may do
 * anything. Whose it is the CA's record says (queue/roles.h): a registrar's (may do everything) or
 * an officer's (may look). Threads: the loop's; certificates are checked by workers.
 */
#pragma once

#include "base/http/http.h"
#include "ra/daemon/ra.h"

/* A handler of http_options; `user` is the struct ra. */
void api_handle(struct http_exchange *, void *user);
/* http_options.arrived: only a registrar may send what a batch needs. */
void api_arrived(struct http_exchange *, void *user);
