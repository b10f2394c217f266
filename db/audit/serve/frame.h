/* SPDX-License-Identifier: Apache-2.0 */
/*
 * frame.h - what is around each page: the way to the others, and what the page is made of: which
 * record, how much of it, when it was looked for last. Private to serve/.
 */
#pragma once

#include "db/audit/serve/visit.h"

enum { STALE_S = 24 * 3600 };

/* Up to <main>; `title` is ours. */
int frame_begin(const struct visit *, const char *title, struct err *e);
void frame_end(FILE *);
/* Without a mirror: why there is no page. `text` may be anybody's. */
void frame_sorry(FILE *, const char *title, const char *text);
/* What stands in Content-Security-Policy, as style-src has it: the hash of each style sheet. */
char *frame_styles(void) OWNED(mem_free);
