/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wrapper.h - a wrapper (ca/cmp/queue.h) that comes out of ra.db is signed anew only when it was
 * this RA that put it in: for a MAC the CA has nothing but the RA's word, and whoever can write a
 * file must not make the RA say it. Pure and thread-safe.
 */
#pragma once

#include "ca/cmp/queue.h"

/* Everything borrowed. */
struct wrapper_owner {
    struct span seal_key; /* secret/seal.h */
    X509 *issuing;
    X509 *root;
};

/* Of a ProtectedPart: a wrapper that nobody signed, under the seal key instead, for the queue until
 * somebody can; replaces `out`. It is decoded as the others are, equals no certificate, and the CA
 * would not take it. */
int wrapper_unsigned(struct span seal_key, struct span part, struct buf *out, struct err *e);

/* Is it one of those, or signed with a certificate that our CA issued to an RA, be it expired by
 * now? ERR_DENIED, ERR_CRYPTO. */
int wrapper_check(const struct wrapper_owner *, const struct cmp_queued *, time_t now,
                  struct err *e);
