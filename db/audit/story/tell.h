/* SPDX-License-Identifier: Apache-2.0 */
/* tell.h - what a leaf says, in a plain sentence. Text from the ledger is in it as it is. */
#pragma once

#include "db/audit/story/story.h"

/* Owned. The mirror knows whose serial it is. NULL + e. */
char *tell_leaf(struct mirror *, const struct leaf *, struct err *e) OWNED(mem_free);
