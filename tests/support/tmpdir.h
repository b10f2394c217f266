/* SPDX-License-Identifier: Apache-2.0 */
/* tmpdir.h - a directory of the test's own, removed at its end. */
#pragma once

#include "base/mem.h"

/* A new directory below $TMPDIR or /tmp; aborts when there is none. */
void tmpdir_remove(char *path); /* rm -r and free */
char *tmpdir_new(void) OWNED(tmpdir_remove);
DEFINE_CLEANUP(tmpdir_cleanup, char, tmpdir_remove)
