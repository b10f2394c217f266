/* SPDX-License-Identifier: Apache-2.0 */
/* rules.h - what the tests of check.h take, unless they say otherwise. Included by one test each,
 * so it is static. */
#pragma once

#include "ca/cmp/protection/check.h"

static const struct cmp_rules rules = {
    .bodies = CMP_BODY_BIT(CMP_IR) | CMP_BODY_BIT(CMP_CERTCONF) | CMP_BODY_BIT(CMP_POLLREQ),
    .time_required = true,
};
