/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pool.h - several signers that hold one key, each a process with a policy file and a journal of
 * its own: what is to be signed goes to one that is free.
 *
 * Does: give a job to the signer with the least to do; leave out one that is away while another
 * works, and have it tried again.
 * Does not: ask another signer when one failed: who submitted does that, as with one signer.
 * Threads: submit from any thread; everything else from the main thread, before.
 * Ownership: the pool owns its signers.
 */
#pragma once

#include "pkcs11/client/client.h"

enum { SIGNER_POOL_MAX = 32 };

struct signer_pool;
/* As signer_free(), all of them. */
void signer_pool_free(struct signer_pool *);
struct signer_pool *signer_pool_new(void) OWNED(signer_pool_free);
DEFINE_CLEANUP(signer_pool_cleanup, struct signer_pool, signer_pool_free)
/* Takes it, also after a failure; at most SIGNER_POOL_MAX. ERR_DENIED: it has another key than the
 * first. */
int signer_pool_add(struct signer_pool *, struct signer *, struct err *e);

/* As signer_submit(). */
void signer_pool_submit(struct signer_pool *, struct signer_job *);

/* In the order in which they were added; there is a first. */
size_t signer_pool_n(const struct signer_pool *);
struct signer *signer_pool_at(const struct signer_pool *, size_t i);
struct signer *signer_pool_first(const struct signer_pool *);
/* One of them is a software token. */
bool signer_pool_is_software(const struct signer_pool *);
/* Of all together. */
uint64_t signer_pool_attempts(const struct signer_pool *);
