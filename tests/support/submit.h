/* SPDX-License-Identifier: Apache-2.0 */
/*
 * submit.h - what an RA commits together, the head that it signs over it, and what it hands to the
 * CA of each entry (ca/cmp/submission.h), in parts that a test may exchange. Everything fails the
 * test when it cannot be made.
 */
#pragma once

#include "base/tlog/queue_head.h"
#include "ca/cmp/queue.h"

/* Of the head; all borrowed. */
struct submit_head {
    X509 *ra;
    EVP_PKEY *key; /* that signs */
    X509 *ca;      /* the issuing certificate that it is meant for */
    uint64_t first;
    time_t time;
    uint8_t previous[QUEUE_HEAD_ID];
};

struct submit {
    struct buf message;
    struct buf entry;
    uint64_t index;
    struct buf path;
    struct buf head;
    struct buf signature;
    struct buf certificate;
};
void submit_free(struct submit *);

/* One entry alone among `size` leaves, of which it is number `index`. The rid is set here. */
struct submit submit_one(const struct submit_head *, struct cmp_queue_entry, struct span message,
                         uint64_t index, uint64_t size);
/* All of one head, in this order; submit_free() each of `out`. */
void submit_all(const struct submit_head *, const struct cmp_queue_entry *,
                const struct span *messages, size_t n, struct submit *out);
/* The entry again, with this in its place; what is under the head stays as it was. */
void submit_entry(struct submit *, struct cmp_queue_entry);
/* Another text in the place of the head's, signed with this key. */
void submit_sign(struct submit *, const struct queue_head *, EVP_PKEY *key);
/* The Submission; buf_free() it. */
struct buf submit_der(const struct submit *);
