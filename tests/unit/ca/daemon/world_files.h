/* SPDX-License-Identifier: Apache-2.0 */
/* world_files.h - what the CA of world.h finds when it starts: tokens, certificates, settings. */
#pragma once

#include "tests/unit/ca/daemon/world.h"

/* Everything in world.dir; the keys and certificates of `world` that belong to it. */
void world_make_files(struct world *);
