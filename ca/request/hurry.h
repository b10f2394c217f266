/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hurry.h - a commit waits for what workers have, so that it comes along (base/pipeline.h,
 * gathering): for a few milliseconds, however long that takes. Private to nfpki-ca; on the loop's
 * thread.
 */
#pragma once

#include "base/pipeline.h"
#include "ca/daemon/daemon.h"

struct hurry;
void hurry_free(struct hurry *); /* NULL is fine */
struct hurry *hurry_new(struct ca *, struct pipeline *) OWNED(hurry_free);

/* pipeline_hurry() in a few milliseconds. */
void hurry_begin(struct hurry *);
