/* SPDX-License-Identifier: Apache-2.0 */
/* witnesses.h - what others signed of this history: by the policy that was given, or how many there
 * are who say so. Private to serve/. */
#pragma once

#include "db/audit/serve/visit.h"

int witnesses_write(const struct visit *, struct err *e);
