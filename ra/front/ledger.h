/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ledger.h - GET /ledger/...: the published files of the CA's ledger, for whoever wants to verify
 * them, read by a worker.
 */
#pragma once

#include "ra/daemon/ra.h"
#include "ra/daemon/route.h"
#include "ra/http/http.h"

/* Takes the exchange over and answers it. */
void ledger_serve(struct ra *, struct http_exchange *, const struct route *);
