/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mac.h - MAC protection with a shared secret: PasswordBasedMac (RFC 9810 5.1.3.1, RFC 9481 6.1.1)
 * and PBMAC1 (RFC 9481 6.1.2).
 *
 * The key derived from (secret, AlgorithmIdentifier) is kept in a `struct cmp_mac_key`: deriving is
 * the costly part, and a peer that keeps salt and count constant through a transaction, as RFC 9810
 * recommends, pays once. Our answers use the request's own AlgorithmIdentifier.
 * Accepted: OWF and PRF SHA-1, SHA-224/256/384/512; HMAC with the same. MD5 and everything else is
 * badAlg. (SHA-1 inside HMAC and inside the key derivation is what clients in the field send.)
 * Ownership: the key owns its octets, in locked memory, wiped when its last owner frees it.
 * Threads: a key is constant once made; its owners may be on different threads.
 */
#pragma once

#include "ca/cmp/message/msg.h"
#include "ca/cmp/protection/mac_algorithm.h"

struct cmp_mac_key;
/* One owner less; NULL is fine. */
void cmp_mac_key_free(struct cmp_mac_key *);
/* One owner more: the same key. */
struct cmp_mac_key *cmp_mac_key_hold(struct cmp_mac_key *) OWNED(cmp_mac_key_free);
/* NULL with badAlg (`limits` NULL: the defaults) or, when OpenSSL fails, systemFailure. */
struct cmp_mac_key *cmp_mac_key_new(struct span algorithm, struct span secret,
                                    const struct cmp_mac_limits *limits, enum cmp_failure *failure,
                                    struct err *e) OWNED(cmp_mac_key_free);
/* The same at no cost, with a key that nobody has: no message verifies with it. */
struct cmp_mac_key *cmp_mac_key_random(struct span algorithm, const struct cmp_mac_limits *limits,
                                       enum cmp_failure *failure, struct err *e)
    OWNED(cmp_mac_key_free);
/* Derives with nobody's secret, so that it can be measured what that costs here. */
int cmp_mac_work_do(const struct cmp_mac_work *, struct err *e);
DEFINE_CLEANUP(cmp_mac_key_cleanup, struct cmp_mac_key, cmp_mac_key_free)

/* The AlgorithmIdentifier (DER) that it was derived for. */
struct span cmp_mac_key_algorithm(const struct cmp_mac_key *);
/* Can this key check that message, or has the peer changed salt, count or algorithm? */
bool cmp_mac_key_fits(const struct cmp_mac_key *, const struct cmp_msg *);

/* Constant-time. -1 with badMessageCheck: not this secret, or not these octets. */
int cmp_mac_verify(const struct cmp_mac_key *, const struct cmp_msg *, enum cmp_failure *failure,
                   struct err *e);
/* The MAC over a DER ProtectedPart (build.h); replaces `mac`, maximum CMP_MAC_SIZE_MAX at least. */
int cmp_mac_make(const struct cmp_mac_key *, struct span protected_part, struct buf *mac,
                 struct err *e);
