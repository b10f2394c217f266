/* SPDX-License-Identifier: Apache-2.0 */
/* attack.h - what whoever can write the three files, and has no key, makes of a sealed store. */
#pragma once

#include "tests/unit/db/pages/files.h"
#include "tests/unit/db/pages/scene.h"

enum {
    PAGE = 4096,
    BLOCK = 4096,
    WAL_BEGIN = 96,
    FRAMES_MIN = 10, /* of a WAL that is attacked */
    OLD = 4,
    NEW = 8,
};

struct world {
    char *dir;
    char *path;
    struct files old;  /* of state OLD, closed */
    struct files now;  /* of state NEW, closed */
    struct files live; /* the same, killed: its WAL has the steps from OLD on */
};

/* For cmocka: each test has a world of its own. */
int attack_make(void **state);
int attack_unmake(void **state);
#define ATTACK(f) cmocka_unit_test_setup_teardown(f, attack_make, attack_unmake)

void attack_step_to(struct store *, int64_t to);
struct files attack_copy(const struct files *);
/* What whoever opens them, and reads all of it, is told: a state, or -1. */
int64_t attack_open_all(const struct world *, const struct files *, struct err *e);
/* ERR_STALE; else the test fails, with `what` and `i`. */
void attack_must_be_found(const struct world *, const struct files *, const char *what, size_t i);
/* Found, -1; or all of it is of one state between both. */
int64_t attack_must_be_whole(const struct world *, const struct files *, int64_t from, int64_t to,
                             const char *what, size_t i);
