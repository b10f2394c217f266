/* SPDX-License-Identifier: Apache-2.0 */
/* uses.h - all that the CA asks of a ca.db of whole.h and decides by it, as text. */
#pragma once

#include "tests/unit/db/issuance/whole.h"

enum { USES_TEXT_MAX = 64 * 1024 };

struct use {
    const char *name;
    /* Appends to `out` what it was told. */
    int (*run)(struct store_db *, const struct whole *, uint8_t n, struct buf *out, struct err *e);
    const char *of; /* for each of these: numbers of scene_octets(), or of registrations */
    size_t n;
};

extern const struct use uses[];
extern const size_t uses_n;
