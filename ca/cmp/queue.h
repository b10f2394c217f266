/* SPDX-License-Identifier: Apache-2.0 */
/*
 * queue.h - the queue entry between RA and CA: the NF's message, octet for octet, nested in one
 * that the RA signs (RFC 9483 5.2.2.1), with what the RA attests in generalInfo:
 *
 *   id-nfpki-queueEntry { registrationId, assurance, profile, receivedAt }
 *
 *   QueueEntry ::= SEQUENCE { registrationId UTF8String, assurance ENUMERATED { mac(0),
 *                  signature(1) }, profile UTF8String, receivedAt GeneralizedTime }
 *
 * The CA believes of it only what it cannot compute itself: that a MAC was right (assurance mac).
 */
#pragma once

#include "ca/cmp/build.h"
#include "ca/cmp/message/failure.h"
#include "ca/cmp/message/msg.h"

enum {
    CMP_REGISTRATION_ID_SIZE = 32, /* lower-case hex */
    CMP_PROFILE_MAX = 63,          /* a-z 0-9 - */
};

enum cmp_assurance { CMP_ASSURANCE_MAC = 0, CMP_ASSURANCE_SIGNATURE = 1 };

struct cmp_queue_entry {
    char registration_id[CMP_REGISTRATION_ID_SIZE + 1];
    enum cmp_assurance assurance;
    char profile[CMP_PROFILE_MAX + 1];
    time_t received_at;
};

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
