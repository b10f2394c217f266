/* SPDX-License-Identifier: Apache-2.0 */
/* signed.h - certificates under a root that is the forger's own. */
#pragma once

#include "tests/unit/ceremony/bundle/forge.h"

/* `sub` is a bundle that certifies an issuing CA; rows fail the test. */
void a_forger_s_own_root_is_no_better_than_it_is(const struct forge *sub);
