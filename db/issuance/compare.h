/* SPDX-License-Identifier: Apache-2.0 */
/*
 * compare.h - does the database say what a leaf says? Private to db/issuance/.
 *
 * Whoever can write the file can write rows; the leaves are under a signed checkpoint. So what a
 * row could be edited for (one more use, a registration or a signer that is alive again) is
 * compared with the leaf that it comes from. What a leaf says holds in every later state of the
 * database, so leaves can be compared in any order and at any time between two operations.
 */
#pragma once

#include "db/issuance/rows.h"
#include "db/ledger/leaf.h"

/* Leaves that have one row each. */
struct compare_seen {
    int64_t registrations;
    int64_t intents;
    int64_t certificates;
    int64_t refusals;
    int64_t revocations;
    int64_t crls;
    int64_t pending;
    int64_t approvals;
    int64_t again;
};

/* The rows that leaf `index` speaks of are there, with every column of which it says something;
 * *seen is added to. ERR_STALE says what is missing. */
int compare_leaf(struct store_db *, const struct leaf *, int64_t index, struct compare_seen *seen,
                 struct err *e);
