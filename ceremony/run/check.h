/* SPDX-License-Identifier: Apache-2.0 */
/* check.h - everything about a definition that can be known before the day: no token is touched. */
#pragma once

#include "ceremony/definition/definition.h"

/* Prints the hash and the steps; builds and lints what would be signed, with throw-away keys where
 * keys do not exist yet. */
int check_definition(const struct definition *, struct err *e);
