/* SPDX-License-Identifier: Apache-2.0 */
/*
 * position.h - where an import is: in the transaction of the rows that it is about. Private to
 * db/audit/mirror/.
 */
#pragma once

#include "base/tlog/merkle.h"
#include "db/audit/mirror/sql.h"

enum { POSITION_RULES_MAX = 512 * 1024 * 1024 };

struct position {
    uint64_t accepted;
    struct merkle_edge edge; /* of what is here */
    struct buf rules;
    uint64_t rules_at;
};
/* Zeroed is empty; for CLEANUP. */
void position_free(struct position *);
int position_load(struct sql *, struct position *, struct err *e);
/* ERR_BUSY when another run moved it meanwhile: so many leaves are to be here. */
int position_check(struct sql *, uint64_t here, struct err *e);
/* What is here; `rules` NULL: those of before, which are replayed from there. */
int position_save(struct sql *, const struct merkle_edge *, const char *rules, struct err *e);
/* All of it is seen. */
int position_accept(struct sql *, struct err *e);
