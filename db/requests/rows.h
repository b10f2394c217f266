/* SPDX-License-Identifier: Apache-2.0 */
/* rows.h - steps that several verbs of requests.h share. Private to db/requests/. */
#pragma once

#include "db/requests/requests.h"

/* At the end of the queue. ERR_CONFLICT: these octets were queued before. */
int requests_enqueue(struct store_db *, int64_t enrolment, const struct requests_item *,
                     uint64_t *sequence, struct err *e);
/* Marks the entry; *first is false when it was answered before. ERR_NOTFOUND. */
int requests_mark_answered(struct store_db *, struct span rid, bool *first, struct err *e);
/* After DELETE of the entry with this sequence, or when it took another place: its head goes with
 * the last of its entries, but for the last head. */
int requests_leave_head(struct store_db *, int64_t sequence, struct err *e);
/* The enrolment that a queue entry is of. */
#define REQUESTS_OF_RID " WHERE id = (SELECT enrolment FROM queue WHERE rid = ?)"
