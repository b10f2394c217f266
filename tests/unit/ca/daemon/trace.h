/* SPDX-License-Identifier: Apache-2.0 */
/* trace.h - what a start that is refused leaves behind: nothing. */
#pragma once

#include "tests/unit/ca/daemon/world.h"

/* Names, modes and hashes of all these files; mem_free() it. */
char *trace_snapshot(const struct world *);
/* So many starts end with the status `refused` and say this, and all files of the world's folder,
 * the state, the published ones, journals and token among them, are the same after each. */
void trace_must_refuse(struct world *, const char *row, int starts, int refused, const char *says);
