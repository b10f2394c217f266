/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tally.h - what is counted of leaves, in memory until a transaction ends: days, and between which
 * times the leaves of each span are. Private to db/audit/mirror/.
 */
#pragma once

#include "db/audit/mirror/sql.h"
#include "db/ledger/leaf.h"

/* Of leaves that a question by time looks through, as it knows no better place to begin at. */
enum { TALLY_SPAN = 1024 };

struct tally;
void tally_free(struct tally *);
struct tally *tally_new(struct sql *) OWNED(tally_free);
DEFINE_CLEANUP(tally_cleanup, struct tally, tally_free)
/* One more of this day, kind, profile ("": none) and reason (-1: none). */
int tally_day(struct tally *, time_t at, enum leaf_kind, const char *profile, int64_t reason,
              struct err *e);
/* A leaf says something of this time. */
int tally_time(struct tally *, uint64_t index, time_t at, struct err *e);
/* Written, in the transaction of the leaves. */
int tally_flush(struct tally *, struct err *e);
