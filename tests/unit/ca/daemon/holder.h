/* SPDX-License-Identifier: Apache-2.0 */
/* holder.h - a network function that has a certificate of the CA of world.h, and what it asks for
 * with that. */
#pragma once

#include "tests/unit/ca/daemon/nf.h"

/* messageTime of what is asked for next; 0: now. */
extern time_t holder_time;

/* Enrolled by MAC; not confirmed. */
struct nf holder_enrolled(struct world *, int certificates, X509 **certificate);
/* A request of a network function that signs with `holder`, for a new key unless `key` is given. */
struct nf holder_asking(struct world *, const struct nf *of, enum cmp_body body, X509 *holder,
                        EVP_PKEY *holder_key, EVP_PKEY *key);
/* The same with another protection: `client.key`, and what the RA says of it. */
void holder_asks_again(struct world *, struct nf *, enum cmp_body, enum cmp_assurance);
void holder_submit(struct world *, struct nf *, struct answer *);
void holder_is_refused(struct world *, struct nf *, enum cmp_failure);
struct buf holder_certconf(struct nf *, X509 *certificate, bool accept);
/* The certConf and its answer; and it is taken. */
void holder_confirm(struct world *, struct nf *, X509 *certificate, bool accept, struct answer *);
void holder_confirms(struct world *, struct nf *, X509 *certificate, bool accept);
/* Is it live? The CA is asked by what it refuses: a kur with a key that is not new. */
void holder_is_live(struct world *, const struct nf *of, X509 *holder, EVP_PKEY *key);
void holder_is_revoked(struct world *, const struct nf *of, X509 *holder, EVP_PKEY *key);
