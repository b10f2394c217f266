/* SPDX-License-Identifier: Apache-2.0 */
/* rows.h - steps that several verbs of requests.h share. Private to db/requests/. */
#pragma once

#include "db/requests/requests.h"

/* At the end of the queue. ERR_CONFLICT: these octets were queued before. */
int requests_enqueue(struct store_db *, int64_t enrolment, const struct requests_item *,
                     uint64_t *sequence, struct err *e);
/* After DELETE of the entry with this sequence, or when it took another place: its head goes with
 * the last of its entries, but for the last head. */
int requests_leave_head(struct store_db *, int64_t sequence, struct err *e);
/* So many columns of an enrolment, for a query that goes on behind them. What `out` had is freed.
 */
#define REQUESTS_ENROLMENT_COLUMNS                                                                 \
    "id, registration, body, cert_req_id, implicit, state, nonce, nonce_before, certificate, "     \
    "fail_info, phrase, accepted, profile, check_after, question, asked"
enum { REQUESTS_ENROLMENT_N = 16 };
#define REQUESTS_ENROLMENT_FROM                                                                    \
    " FROM enrolment LEFT JOIN issued ON issued.enrolment = enrolment.id "
int requests_enrolment_read(const struct store_rows *, struct requests_enrolment *out,
                            struct err *e);
/* The enrolment that an entry without an answer is of. */
#define REQUESTS_OF_RID " WHERE id = (SELECT enrolment FROM queue WHERE rid = ?)"
