/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ledger.h - GET /ledger/...: the published files of the CA's ledger, for whoever wants to verify
 * them, read by a worker. Nobody says who he is for it: so it is bounded what readers of all
 * connections together make us hold, however slowly they take it, and of that what one address
 * (http/address.h) does, so that it leaves the others theirs; beyond that it is 503.
 */
#pragma once

#include "base/http/http.h"
#include "ra/daemon/ra.h"
#include "ra/daemon/route.h"

enum {
    /* 256 entries of 65,535 octets, each with its length. */
    LEDGER_FILE_SIZE_MAX = 256 * (4 + 65536),
    LEDGER_OCTETS_MAX = 4 * LEDGER_FILE_SIZE_MAX, /* on their way */
    LEDGER_JOBS_MAX = 16,                         /* that the workers have */
    /* Of one address: the largest file there can be, and as many as `nfpki-audit fetch` asks for.
     */
    LEDGER_OCTETS_SHARE = LEDGER_FILE_SIZE_MAX,
    LEDGER_JOBS_SHARE = 8,
};

/* Takes the exchange over and answers it. */
void ledger_serve(struct ra *, struct http_exchange *, const struct route *);
