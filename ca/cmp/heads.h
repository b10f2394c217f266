/* SPDX-License-Identifier: Apache-2.0 */
/*
 * heads.h - the heads of queues whose signature was verified: with many entries of one batch comes
 * the same head, and its signature is verified once.
 *
 * A head is found by certificate, text and signature, all three octet for octet. Whether the
 * certificate is still good is asked for each entry, elsewhere. Bounded: the oldest makes room.
 * Thread-safe.
 */
#pragma once

#include "base/ossl.h"

enum { CMP_HEADS_MAX = 64 };

struct cmp_heads;
void cmp_heads_free(struct cmp_heads *);
struct cmp_heads *cmp_heads_new(void) OWNED(cmp_heads_free);
DEFINE_CLEANUP(cmp_heads_cleanup, struct cmp_heads, cmp_heads_free)

/* The signature over the text with the key of this certificate, or it was verified before. NULL for
 * `heads`: it is verified. ERR_CRYPTO when it is not right, or the key is none that signs. */
int cmp_heads_verify(struct cmp_heads *, X509 *ra, struct span text, struct span signature,
                     struct err *e);
/* Was it verified before, and is not forgotten? */
bool cmp_heads_has(struct cmp_heads *, X509 *ra, struct span text, struct span signature);
