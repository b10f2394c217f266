/* SPDX-License-Identifier: Apache-2.0 */
/*
 * answer.h - an answer of the CA on its way into ra.db. Private to ra/; on the loop's thread.
 */
#pragma once

#include "ca/link/msg.h"
#include "db/requests/requests.h"

struct queue_answer;
typedef void queue_answer_stored(void *arg, const struct queue_answer *);

struct queue_answer {
    struct store_op op; /* its result, and why not */
    enum link_type type;
    uint8_t rid[REQUESTS_RID_SIZE];
    struct buf certificate;
    struct requests_certificate delivered; /* ISSUED */
    int fail_info;
    int check_after;
    char phrase[REQUESTS_PHRASE_SIZE];
    struct requests_asked asked; /* with its enrolment as it is now, when `found` */
    bool found;
    queue_answer_stored *stored;
    void *arg;
};

/* ISSUED, CONFIRMED, REVOKED, REFUSED, WAITING or DEFERRED, with the id of an entry. `stored` is
 * called once it is committed, or when that failed; not for a certificate that cannot be read,
 * which is logged. What it gets is borrowed during the call. */
void queue_answer_store(struct store *, const struct link_message *, queue_answer_stored *stored,
                        void *arg);
