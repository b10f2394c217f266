/* SPDX-License-Identifier: Apache-2.0 */
/*
 * place.h - where in a configuration text each option and section stands.
 *
 * libconfuse knows no lines after parsing and lets a later value replace an earlier one in silence.
 * A reviewed definition must say each thing once: this scanner finds the lines and the repetitions.
 */
#pragma once

#include "base/buf.h"

enum { PLACES_MAX = 512, PLACE_NAME_SIZE = 200 };

/* `name` is "id", "token" (a section), "token.label", "key.root.algorithm" (titled section). */
struct place {
    char name[PLACE_NAME_SIZE];
    int line;
};

struct places {
    struct place at[PLACES_MAX];
    size_t n;
};

/* ERR_INPUT "path:line: ..." for an option or section that stands there twice, for `+=`, for a text
 * that is not printable ASCII, and for a form that the scanner does not know. */
int places_scan(const char *path, struct span text, struct places *out, struct err *e);
/* The line of `name`, or of the nearest section around it; 1 when there is none. */
int places_line(const struct places *, const char *name);
