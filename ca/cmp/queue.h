/* SPDX-License-Identifier: Apache-2.0 */
/*
 * queue.h - what the RA attests about a network function's message, and how it goes to the CA.
 *
 *   QueueEntry ::= SEQUENCE {
 *       registrationId  UTF8String,                           -- 32 lower hex digits
 *       assurance       ENUMERATED { mac(0), signature(1) },
 *       profile         UTF8String,
 *       receivedAt      GeneralizedTime,
 *       rid             OCTET STRING (SIZE (32))              -- SHA-256 of the message
 *   }
 *
 * It is a leaf of the tree whose head the RA signs (base/tlog/queue_head.h), one signature for all
 * that it committed together. To the CA it goes with the way to that head:
 *
 *   Submission ::= SEQUENCE {
 *       version      INTEGER (2),
 *       message      OCTET STRING,                  -- the network function's PKIMessage
 *       entry        OCTET STRING,                  -- DER QueueEntry
 *       index        INTEGER (0..255),              -- of the entry under the head
 *       path         OCTET STRING (SIZE (0..256)),  -- audit path, 32 octets a hash
 *       head         OCTET STRING (SIZE (1..512)),  -- its text
 *       signature    OCTET STRING,                  -- by the RA's key, over the text
 *       certificate  OCTET STRING                   -- the RA's
 *   }
 *
 * The CA believes of it only what it cannot compute itself: that a MAC was right (assurance mac).
 *
 * Before, each message was wrapped by itself (RFC 9483 5.2.2.1: nested, with the entry in
 * generalInfo, without rid). Nobody makes those any more; what a database holds of them is read.
 */
#pragma once

#include "ca/cmp/build.h"
#include "ca/cmp/message/failure.h"
#include "ca/cmp/message/msg.h"

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

/* Replaces `out` (maximum CMP_NESTED_MAX). ERR_INPUT for what is too long. */
int cmp_submission_encode(const struct cmp_submission *, struct buf *out, struct err *e);

/* Who wraps; everything borrowed. */
struct cmp_wrapper {
    const X509_NAME *ra;    /* subject of the RA's certificate */
    const X509_NAME *ca;    /* subject of the issuing CA */
    struct span sender_kid; /* SKI of the RA's certificate */
    struct span algorithm;  /* DER AlgorithmIdentifier of the RA key's signatures */
    time_t time;
};

/* The DER ProtectedPart to be signed by the RA's key (replaces `part`, maximum CMP_NESTED_MAX).
 * Then cmp_build_finish(part, signature, &ra_certificate, 1, out, e), maximum CMP_NESTED_MAX too.
 */
int cmp_queue_build(const struct cmp_queue_entry *, const struct cmp_msg *inner,
                    const struct cmp_wrapper *, struct buf *part, struct err *e);

/* A decoded entry. */
struct cmp_queued;
void cmp_queued_free(struct cmp_queued *);
/*
 * Decodes the wrapper and what is inside it. ERR_INPUT unless it is exactly what cmp_queue_build()
 * makes: nested with one message, pvno 2, transactionID and senderNonce those of the inner message,
 * that one generalInfo entry, senderKID, messageTime, one extraCert. Verifies no signature.
 */
struct cmp_queued *cmp_queued_parse(struct span der, struct err *e) OWNED(cmp_queued_free);
DEFINE_CLEANUP(cmp_queued_cleanup, struct cmp_queued, cmp_queued_free)

/* Is it signed by this RA (certificate pinned by the caller; the one inside must be the same) and
 * meant for this CA? -1: ERR_CRYPTO or ERR_DENIED. Nothing of the entry may be used before this. */
int cmp_queued_verify(const struct cmp_queued *, X509 *ra, const X509_NAME *ca, struct err *e);

const struct cmp_queue_entry *cmp_queued_entry(const struct cmp_queued *);
const struct cmp_msg *cmp_queued_outer(const struct cmp_queued *);
/* The NF's message; cmp_msg_der() of it hashes to the rid. */
const struct cmp_msg *cmp_queued_inner(const struct cmp_queued *);
