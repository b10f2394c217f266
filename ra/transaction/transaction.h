/* SPDX-License-Identifier: Apache-2.0 */
/*
 * transaction.h - one CMP message from the HTTP exchange to its answer.
 */
#pragma once

#include "base/http/http.h"
#include "ra/daemon/crowd.h"
#include "ra/daemon/ra.h"
#include "ra/daemon/route.h"

/* What messages go through, in ra->messages; its settings and what it works with are there. When no
 * message is under way, the latter ends it. */
void transaction_open(struct ra *);
void transaction_close(struct ra *);

/* Whether it looks as if it did not begin one. */
bool transaction_goes_on(const struct http_exchange *);
/* Takes the exchange over and answers it, always and once. On the loop's thread. `place`: in
 * ra->beginning, taken or not; it becomes the message's. */
void transaction_begin(struct ra *, struct http_exchange *, const struct route *,
                       struct crowd_place place);
/* The same for a message that is not worked on now: 503, Retry-After with these seconds, and, while
 * few of them are under way, an error with systemUnavail, signed by the RA. */
void transaction_refuse(struct ra *, struct http_exchange *, const struct route *, int retry_after);
