/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wrapper.h - messages wrapped by themselves (ca/cmp/wrapper.h), as an RA made them before there
 * were heads. Everything fails the test when it cannot be made.
 */
#pragma once

#include "ca/cmp/queue.h"

/* Who wraps; everything borrowed. */
struct wrapper {
    const X509_NAME *ra;    /* subject of the RA's certificate */
    const X509_NAME *ca;    /* subject of the issuing CA */
    struct span sender_kid; /* SKI of the RA's certificate */
    struct span algorithm;  /* DER AlgorithmIdentifier of the RA key's signatures */
    time_t time;
};
/* An RA with this certificate; borrows both. */
struct wrapper wrapper_by(X509 *ra, const X509_NAME *ca, time_t);

/* The ProtectedPart around this message; buf_free() it. */
struct buf wrapper_part(const struct wrapper *, const struct cmp_queue_entry *,
                        const struct cmp_msg *inner);
/* The wrapper, with a signature of this key under this certificate; buf_free() it. */
struct buf wrapper_sign(struct span part, EVP_PKEY *, X509 *ra);
