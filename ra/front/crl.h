/* SPDX-License-Identifier: Apache-2.0 */
/*
 * crl.h - GET /crl/NAME.crl: files that nfpki-ca writes, read by a worker, because the loop does
 * not wait for disks.
 */
#pragma once

#include "base/http/http.h"
#include "ra/daemon/ra.h"
#include "ra/daemon/route.h"

/* Takes the exchange over and answers it. */
void crl_serve(struct ra *, struct http_exchange *, const struct route *);
