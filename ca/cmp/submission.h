/* SPDX-License-Identifier: Apache-2.0 */
/*
 * submission.h - a network function's message on its way from the RA to the CA, with what the RA
 * attests about it and the way to the head that the RA signed.
 *
 *   Submission ::= SEQUENCE {
 *       version      INTEGER (2),
 *       message      OCTET STRING (SIZE (1..65536)),  -- the network function's PKIMessage
 *       entry        OCTET STRING (SIZE (1..256)),    -- DER QueueEntry (queue_entry.h)
 *       index        INTEGER (0..255),                -- of the entry under the head
 *       path         OCTET STRING (SIZE (0..256)),    -- audit path, 32 octets a hash
 *       head         OCTET STRING (SIZE (1..512)),    -- its text (base/tlog/queue_head.h)
 *       signature    OCTET STRING (SIZE (1..512)),    -- by the RA's key, over the text
 *       certificate  OCTET STRING (SIZE (1..8192))    -- the RA's
 *   }
 *
 * Pure; what it says is judged in queue.h.
 */
#pragma once

#include "base/buf.h"

enum {
    CMP_HEAD_SIGNATURE_MAX = 512,
    CMP_RA_CERTIFICATE_MAX = 8192,
};

/* Everything borrowed. */
struct cmp_submission {
    struct span message;
    struct span entry;
    uint64_t index;
    struct span path;
    struct span head;
    struct span signature;
    struct span certificate;
};

/* Replaces `out` (maximum CMP_NESTED_MAX). ERR_INPUT for what would not be read. */
int cmp_submission_encode(const struct cmp_submission *, struct buf *out, struct err *e);
/* Strict inverse; `out` borrows from `der`. ERR_INPUT names the field. */
int cmp_submission_decode(struct span der, struct cmp_submission *out, struct err *e);
/* Is this one, and not a wrapper of before (wrapper.h)? By its first element alone. */
bool cmp_submission_is(struct span der);
