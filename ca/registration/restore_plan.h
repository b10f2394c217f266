/* SPDX-License-Identifier: Apache-2.0 */
/*
 * restore_plan.h - the plan of a restore (ca/restore/plan.h) as an officer reads it before it is
 * signed. Pure: of a file that anybody may have made.
 */
#pragma once

#include "base/buf.h"

#define RESTORE_PLAN_KIND "restore"

/* ERR_INPUT names the member that is missing, unknown, or no value of a plan's. */
char *restore_plan_read(struct span json, struct err *e) OWNED(mem_free);
