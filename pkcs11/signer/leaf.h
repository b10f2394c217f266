/* SPDX-License-Identifier: Apache-2.0 */
/*
 * leaf.h - members of a leaf of the ledger, read without a JSON parser: a leaf has one form, a flat
 * object, compact, ASCII, names ascending (db/ledger/leaf.h). What departs from it is refused, so
 * nobody reads another leaf in the same octets.
 */
#pragma once

#include <stdbool.h>

#include "base/buf.h"

/* A member that is wanted, and where its text is in the leaf: without quotes; with no escape in it,
 * since what is wanted here has none. A member that is not there, or is no such text, is {NULL}. */
struct leaf_member {
    const char *name;
    bool is_number; /* a whole number is wanted, no text */
    struct span text;
};

/* ERR_INPUT when the octets are no leaf. */
int leaf_read(struct span leaf, struct leaf_member *wanted, size_t n, struct err *e);
