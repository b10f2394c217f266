/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wrapper.h - how each message went to the CA before: wrapped by itself (RFC 9483 5.2.2.1: nested,
 * with the entry in generalInfo, without rid). What a database holds of them is read.
 */
#pragma once

#include "ca/cmp/message/msg.h"
#include "ca/cmp/queue_entry.h"

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

/* Exactly what cmp_queue_build() makes: nested with one message, pvno 2, transactionID and
 * senderNonce those of the inner message, that one generalInfo entry, senderKID, messageTime, one
 * extraCert. ERR_INPUT. Verifies no signature. Both messages are the caller's to free, after -1
 * too. */
int cmp_wrapper_read(struct span der, struct cmp_msg **outer, struct cmp_msg **inner,
                     struct cmp_queue_entry *, struct err *e);
/* Is it signed by this RA, and meant for this CA? ERR_CRYPTO or ERR_DENIED. */
int cmp_wrapper_verify(const struct cmp_msg *outer, X509 *ra, const X509_NAME *ca, struct err *e);
