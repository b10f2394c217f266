/* SPDX-License-Identifier: Apache-2.0 */
/*
 * queue.h - what the RA attests about a network function's message, and how it goes to the CA.
 *
 * A queue entry (queue_entry.h) is a leaf of the tree whose head the RA signs
 * (base/tlog/queue_head.h), one signature for all that it committed together. To the CA it goes
 * with the message and the way to that head (submission.h). The CA believes of it only what it
 * cannot compute itself: that a MAC was right (assurance mac).
 *
 * Before, each message was wrapped by itself (wrapper.h). What a database holds of those is read.
 */
#pragma once

#include "ca/cmp/build.h"
#include "ca/cmp/heads.h"
#include "ca/cmp/queue_entry.h"
#include "ca/cmp/submission.h"
#include "ca/cmp/wrapper.h"

/* What came from an RA, decoded. */
struct cmp_queued;
void cmp_queued_free(struct cmp_queued *);
/*
 * Decodes a Submission or a wrapper of before, and what is inside. ERR_INPUT unless it is exactly
 * what cmp_submission_encode() makes or cmp_wrapper_read() takes; ERR_CRYPTO when the entry is not
 * what its path shows under the head. Of a Submission the entry's rid is then the hash of the
 * message. Verifies no signature.
 */
struct cmp_queued *cmp_queued_parse(struct span der, struct err *e) OWNED(cmp_queued_free);
DEFINE_CLEANUP(cmp_queued_cleanup, struct cmp_queued, cmp_queued_free)

/* Who it must be from and for; everything borrowed. */
struct cmp_parties {
    X509 *ra;                /* pinned by the caller; the certificate inside must be the same */
    const X509_NAME *ca;     /* subject of the CA's issuing certificate */
    struct span ca_hash;     /* and its SHA-256 */
    struct cmp_heads *heads; /* that were verified before; NULL: each is verified */
};

/* Is it signed by this RA and meant for this CA? -1: ERR_CRYPTO or ERR_DENIED. Nothing of the entry
 * may be used before this. */
int cmp_queued_verify(const struct cmp_queued *, const struct cmp_parties *, struct err *e);

const struct cmp_queue_entry *cmp_queued_entry(const struct cmp_queued *);
/* The NF's message; cmp_msg_der() of it hashes to the rid. */
const struct cmp_msg *cmp_queued_inner(const struct cmp_queued *);
/* DER of the RA's certificate. */
struct span cmp_queued_ra(const struct cmp_queued *);
/* What came: one of these, the other is NULL. */
const struct cmp_submission *cmp_queued_submission(const struct cmp_queued *);
const struct cmp_msg *cmp_queued_outer(const struct cmp_queued *); /* a wrapper of before */
/* Its place in the RA's queue (the head's first plus the index), and SHA-256 of the head's text. Of
 * a wrapper of before 0 and empty. */
uint64_t cmp_queued_sequence(const struct cmp_queued *);
struct span cmp_queued_head_hash(const struct cmp_queued *);
