/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hurry.h - when the loop starts what a pipeline has (pipeline.h, gathering): what came at once
 * goes on at once, and a commit waits a few milliseconds, and no longer, for what is on its way to
 * it. On the loop's thread.
 */
#pragma once

#include "base/pipeline.h"

struct event_base;
struct hurry;
/* NULL is fine. The pipeline may be gone. */
void hurry_free(struct hurry *);
struct hurry *hurry_new(struct event_base *, struct pipeline *) OWNED(hurry_free);

/* pipeline_hurry() in a few milliseconds. */
void hurry_begin(struct hurry *);
/* pipeline_start() behind what the loop has in hand. */
void hurry_soon(struct hurry *);
