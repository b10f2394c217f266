/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hurry.h - when the loop starts what the pipeline has (base/pipeline.h, gathering): what came at
 * once goes on at once, and a commit waits a few milliseconds, and no longer, for what is on its
 * way to it. Private to nfpki-ca; on the loop's thread.
 */
#pragma once

#include "base/pipeline.h"
#include "ca/daemon/daemon.h"

struct hurry;
void hurry_free(struct hurry *); /* NULL is fine */
struct hurry *hurry_new(struct ca *, struct pipeline *) OWNED(hurry_free);

/* pipeline_hurry() in a few milliseconds. */
void hurry_begin(struct hurry *);
/* pipeline_start() behind what the loop has in hand. */
void hurry_soon(struct hurry *);
