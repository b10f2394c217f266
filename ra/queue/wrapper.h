/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wrapper.h - a message that was wrapped by itself (ca/cmp/wrapper.h), before the queue had heads,
 * and comes out of ra.db: it is said again only when it was this RA that put it in. For a MAC the
 * CA has nothing but the RA's word, and whoever can write a file must not make the RA say it. Pure
 * and thread-safe.
 */
#pragma once

#include "ca/cmp/wrapper.h"

/* Everything borrowed. */
struct wrapper_owner {
    struct span seal_key; /* secret/seal.h */
    X509 *issuing;
    X509 *root;
};

/* What is inside, and what was said of it: replaces `message` (maximum CMP_MESSAGE_MAX). ERR_INPUT:
 * it is no wrapper; ERR_DENIED, ERR_CRYPTO: it is not signed with a certificate that our CA issued
 * to an RA, be it expired by now; nor sealed, as one was that nobody could sign then. */
int wrapper_open(const struct wrapper_owner *, struct span wrapped, time_t now,
                 struct cmp_queue_entry *says, struct buf *message, struct err *e);
