/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wrap.h - STAGE_WRAP: what goes to the CA waits for the RA's signature on the head over it
 * (queue/heads.h), one for all that were admitted together. Private to ra/; on the loop's thread.
 *
 * A signer that is away, or takes longer than sync_wait, is no network function's fault. What has a
 * MAC is answered: it stays in the queue, and goes to the CA when somebody signs. What is signed
 * cannot be answered either: the signer is asked again for as long, unless it has refused, and then
 * a request for a certificate leaves nothing behind, so that it may come again in whatever
 * transaction. What else was admitted, a certConf or an rr, is what its client wants done: it
 * stays, and the same octets are answered by what became of them.
 */
#pragma once

#include "ra/transaction/stages.h"

/* Each goes on by itself. */
void wrap_begin(struct batch *);
