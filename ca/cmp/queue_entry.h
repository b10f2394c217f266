/* SPDX-License-Identifier: Apache-2.0 */
/*
 * queue_entry.h - what the RA attests about a network function's message.
 *
 *   QueueEntry ::= SEQUENCE {
 *       registrationId  UTF8String,                           -- 32 lower hex digits
 *       assurance       ENUMERATED { mac(0), signature(1) },
 *       profile         UTF8String,
 *       receivedAt      GeneralizedTime,
 *       rid             OCTET STRING (SIZE (32))              -- SHA-256 of the message
 *   }
 *
 * There is one way to write it. Pure.
 */
#pragma once

#include <time.h>

#include "base/buf.h"

enum {
    CMP_REGISTRATION_ID_SIZE = 32, /* lower-case hex */
    CMP_PROFILE_MAX = 63,          /* a-z 0-9 - */
    CMP_RID_SIZE = 32,
    CMP_QUEUE_ENTRY_MAX = 256,
};

enum cmp_assurance { CMP_ASSURANCE_MAC = 0, CMP_ASSURANCE_SIGNATURE = 1 };

struct cmp_queue_entry {
    char registration_id[CMP_REGISTRATION_ID_SIZE + 1];
    enum cmp_assurance assurance;
    char profile[CMP_PROFILE_MAX + 1];
    time_t received_at;
    uint8_t rid[CMP_RID_SIZE]; /* all zero in a wrapper of before */
};

/* The leaf; replaces `out` (maximum CMP_QUEUE_ENTRY_MAX). ERR_INPUT for what would not be read. */
int cmp_queue_entry_encode(const struct cmp_queue_entry *, struct buf *out, struct err *e);
/* Strict inverse: exactly these octets. ERR_INPUT. */
int cmp_queue_entry_decode(struct span der, struct cmp_queue_entry *out, struct err *e);

/* The same inverse for what wrappers of before have: without rid (wrapper.h). */
int cmp_queue_entry_decode_before(struct span der, struct cmp_queue_entry *out, struct err *e);
