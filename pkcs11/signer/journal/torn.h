/* SPDX-License-Identifier: Apache-2.0 */
/* torn.h - what a power cut leaves of an append: its beginning, with octets missing or zero. For
 * journal.c. */
#pragma once

#include <stdbool.h>
#include <stdio.h>

/* No line ends behind what was read. */
bool torn_tail(FILE *);
/* Nothing is in the file but what is left of the very first append, of a line with this text.
 * Anything else is somebody's file, which must not be written over. */
bool torn_first(FILE *, const char *text);
