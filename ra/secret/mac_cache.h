/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mac_cache.h - MAC keys of transactions under way, so that certConf and pollReq need not derive
 * again what the request has derived (RFC 9810 5.1.3.1 recommends constant parameters inside a
 * transaction).
 *
 * An entry is found by registration and AlgorithmIdentifier. Only what has verified is put in, and
 * only messages of a transaction that is known may look: so a first message costs the same whether
 * its reference is known or not. Bounded: the entry that ends first makes room. Entries end with
 * their transaction, after a while, and when the registration is cancelled.
 * Ownership: a key that is handed out is the caller's, to be freed as usual; the octets live until
 * the last owner lets go, in locked memory. Thread-safe.
 */
#pragma once

#include <time.h>

#include "ca/cmp/protection/mac.h"

enum { MAC_CACHE_MAX = 512 };

struct mac_cache;
void mac_cache_free(struct mac_cache *);
/* At most `max` keys (up to MAC_CACHE_MAX), each for `seconds` after it was put in. */
struct mac_cache *mac_cache_new(size_t max, int seconds) OWNED(mac_cache_free);
DEFINE_CLEANUP(mac_cache_cleanup, struct mac_cache, mac_cache_free)

/* NULL when there is none, or not any more. */
struct cmp_mac_key *mac_cache_get(struct mac_cache *, const char *registration,
                                  struct span algorithm, time_t now) OWNED(cmp_mac_key_free);
/* The caller keeps its key. One that is there already is kept longer. */
void mac_cache_put(struct mac_cache *, const char *registration, struct cmp_mac_key *key,
                   time_t now);
/* The transaction of this key is over. */
void mac_cache_drop(struct mac_cache *, const char *registration, struct span algorithm);
/* The registration is cancelled. */
void mac_cache_forget(struct mac_cache *, const char *registration);
/* Wipes what has ended; returns how many are left. */
size_t mac_cache_sweep(struct mac_cache *, time_t now);
