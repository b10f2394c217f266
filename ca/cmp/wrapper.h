/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wrapper.h - how each message went to the CA before: wrapped by itself (RFC 9483 5.2.2.1: nested,
 * with the entry in generalInfo, without rid). What a database holds of them is read.
 */
#pragma once

#include "ca/cmp/message/msg.h"
#include "ca/cmp/queue_entry.h"

/* Exactly what an RA made: nested with one message, pvno 2, transactionID and senderNonce those of
 * the inner message, that one generalInfo entry, senderKID, messageTime, one extraCert. ERR_INPUT.
 * Verifies no signature. Both messages are the caller's to free, after -1 too. */
int cmp_wrapper_read(struct span der, struct cmp_msg **outer, struct cmp_msg **inner,
                     struct cmp_queue_entry *, struct err *e);
/* Is it signed by this RA, and meant for this CA? ERR_CRYPTO or ERR_DENIED. */
int cmp_wrapper_verify(const struct cmp_msg *outer, X509 *ra, const X509_NAME *ca, struct err *e);
