/* SPDX-License-Identifier: Apache-2.0 */
/*
 * status.h - how the RA is: what an operator looks at, and monitoring. Private to ra/.
 *
 * {"version":.., "seals":{"state":"sealed", "pages":655},
 *  "scrub":{"seen":0, "begun":null, "lastSeen":655, "lastBegun":time, "lastEnded":time,
 *   "lastAge":seconds},
 *  "queue":{"open":3, "cancellations":0}, "link":{"state":"up", "since":time}, "jobs":2}
 *
 * Of the scrub: what this program did; null: nothing yet. It costs the database's thread what is
 * open, not what there is.
 */
#pragma once

#include <jansson.h>

#include "db/requests/requests.h"
#include "ra/daemon/ra.h"

/* In an operation of the store: what ra.db says. Owned; NULL after a failure. */
json_t *status_stored(struct store_db *, struct err *e) __attribute__((warn_unused_result));
/* On the loop's thread: the rest of it. */
void status_complete(const struct ra *, json_t *answer);
