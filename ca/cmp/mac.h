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

#include "ca/cmp/failure.h"
#include "ca/cmp/msg.h"

enum {
    CMP_MAC_COUNT_MIN = 100,   /* RFC 4211 4.4 */
    CMP_MAC_COUNT_MAX = 10000, /* default: below 1 ms for a message of unknown origin */
    CMP_MAC_SALT_MIN = 8,      /* RFC 9045 / RFC 4211 4.4 */
    CMP_MAC_SALT_MAX = 128,
    CMP_MAC_SIZE_MAX = 64,
};

/* Iterations that are accepted; 0 is CMP_MAC_COUNT_MIN, CMP_MAC_COUNT_MAX. The floor is for those
 * who want more than the standard's, never less. */
struct cmp_mac_limits {
    uint32_t count_min;
    uint32_t count_max;
};
/* Is this AlgorithmIdentifier (cmp_msg_protection_alg) a MAC of ours, and within the limits?
 * -1 with badAlg. Derives nothing: cheap. */
int cmp_mac_algorithm_check(struct span algorithm, const struct cmp_mac_limits *,
                            enum cmp_failure *failure, struct err *e);

/* PBMAC1, and not PasswordBasedMac or anything else. */
bool cmp_mac_is_pbmac1(struct span algorithm);

struct cmp_mac_key;
/* One owner less; NULL is fine. */
void cmp_mac_key_free(struct cmp_mac_key *);
/* One owner more: the same key. */
struct cmp_mac_key *cmp_mac_key_hold(struct cmp_mac_key *) OWNED(cmp_mac_key_free);
/* NULL with badAlg (`count_max` 0: CMP_MAC_COUNT_MAX) or, when OpenSSL fails, systemFailure. */
struct cmp_mac_key *cmp_mac_key_new(struct span algorithm, struct span secret, uint32_t count_max,
                                    enum cmp_failure *failure, struct err *e)
    OWNED(cmp_mac_key_free);
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
