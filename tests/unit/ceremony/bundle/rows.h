/* SPDX-License-Identifier: Apache-2.0 */
/* rows.h - what a forger changes in a bundle, and what the verifier says to each. */
#pragma once

#include <stddef.h>

enum base { ROOT, KEYS, SUB, CRL, REHEARSED, SECRET, BASES };

struct row {
    enum base base;
    const char *reason; /* must be in the text; NULL: the bundle verifies */
    struct {
        const char *at; /* as forge_edit() takes it */
        const char *value;
    } edits[5];
};

extern const struct row bundle_rows[];
extern const size_t n_bundle_rows;
