/* SPDX-License-Identifier: Apache-2.0 */
/* bad.h - certificates of which each breaks what one lint asks. */
#pragma once

#include "tests/unit/db/audit/lint/made.h"

/* One that is good, until its row has changed it. */
struct bad {
    const char *lint;
    const char *besides[4]; /* that cannot but fail, too */
    struct made m;
    const char *operators; /* a file of profiles */
    bool twice;            /* another network function gets one before, with the same key */
    const struct made_authority *by;
    EVP_PKEY *key; /* of its own, freed by who asked for it; NULL: none */
};

struct bad_row {
    const char *lint;
    void (*change)(struct bad *);
};
extern const struct bad_row bad_rows[];
extern const size_t n_bad_rows;
