/* SPDX-License-Identifier: Apache-2.0 */
/*
 * plan.h - the files of C2SP tlog-tiles that a log of so many leaves has, by names that follow from
 * the number alone: no source says what is asked of it. Pure.
 */
#pragma once

#include "db/audit/files.h"

enum {
    PLAN_BUNDLE_MAX = AUDIT_WIDTH * (2 + 65535),
    PLAN_NAME_MAX = AUDIT_NAME_MAX + 8,
};

struct plan_file {
    char name[PLAN_NAME_MAX];
    char whole[PLAN_NAME_MAX]; /* of a partial one: the full one, which may be there instead; else
                                  "" */
    int level;                 /* AUDIT_ENTRIES: of entries */
    uint64_t index;
    unsigned width;
    size_t max; /* octets of the full one */
};

struct plan {
    uint64_t size;
    int level;
    uint64_t index;
};
/* Begins with the tiles at the top, each of which says what is below it, and ends with the entries.
 */
void plan_begin(struct plan *, uint64_t size);
bool plan_next(struct plan *, struct plan_file *);
/* How many there are. */
uint64_t plan_count(uint64_t size);
/* The partial file at the end of this level in a log of `size`; false: there is none. */
bool plan_edge(uint64_t size, int level, struct plan_file *);

/* Has it the form of `width` hashes, or entries? ERR_INPUT. What they are is not looked at. */
int plan_check(const struct plan_file *, unsigned width, struct span octets, struct err *e);
