/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wrap.h - STAGE_WRAP: what goes to the CA gets the RA's signature. Private to ra/; on the loop's
 * thread.
 *
 * A signer that is away, or takes longer than sync_wait, is no network function's fault: what has a
 * MAC is kept as it is, and answered: it is signed when somebody can (queue/rewrap.h). What is
 * signed cannot be answered either: its signer is asked again for as long, and then it leaves
 * nothing behind.
 */
#pragma once

#include "ra/transaction/stages.h"

/* The message goes on by itself. Whatever the signer has of it lives on without it. */
void wrap_begin(struct job *);
