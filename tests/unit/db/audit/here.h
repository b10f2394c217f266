/* SPDX-License-Identifier: Apache-2.0 */
/* here.h - a mirror in memory of a folder whose record verifies. */
#pragma once

#include "db/audit/mirror/mirror.h"

/* Fails the test when there is none; the caller closes it. */
struct mirror *mirror_here(const char *dir);
