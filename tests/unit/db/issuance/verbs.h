/* SPDX-License-Identifier: Apache-2.0 */
/* verbs.h - each verb of db/issuance once, in a ca.db where it is possible. */
#pragma once

#include "tests/unit/db/issuance/scene.h"

struct verb {
    const char *name;
    int (*run)(struct store_db *, struct err *);
    const char *needs; /* at least this table */
};

extern const struct verb verbs[];
extern const size_t verbs_n;

/* For cmocka: *state is a struct scene, in which each of them succeeds. */
int verbs_setup(void **state);
