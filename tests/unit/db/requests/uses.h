/* SPDX-License-Identifier: Apache-2.0 */
/* uses.h - all that the RA asks of an ra.db of whole.c and decides by it, as text. */
#pragma once

#include "tests/unit/db/requests/whole.h"

struct use {
    const char *name;
    /* Of number `n`; appends to `out` what it was told. */
    int (*run)(struct store_db *, unsigned n, struct buf *out, struct err *e);
    unsigned n; /* 0 to n - 1 */
};

extern const struct use uses[];
extern const size_t uses_n;
