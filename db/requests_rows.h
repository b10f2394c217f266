/* SPDX-License-Identifier: Apache-2.0 */
/* requests_rows.h - steps that several verbs of requests.h share. Private to requests*.c. */
#pragma once

#include "db/requests.h"

/* The next link of the queue's chain; *entry gets its place, without `nested`. ERR_CONFLICT: these
 * octets were queued before. */
int requests_enqueue(struct store_db *, int64_t enrolment, struct span rid, struct span nested,
                     struct requests_entry *entry, struct err *e);
