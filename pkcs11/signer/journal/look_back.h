/* SPDX-License-Identifier: Apache-2.0 */
/* look_back.h - is there a line of this very checkpoint? From the end of a journal on, which was
 * read at its open. For journal.c. */
#pragma once

#include <stdbool.h>

#include "pkcs11/signer/journal/marks.h"

/* ERR_IO. */
int look_back(struct marks_file, const struct tree_head *wanted, bool *found, struct err *e);
