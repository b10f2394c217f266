/* SPDX-License-Identifier: Apache-2.0 */
/*
 * check.h - is the record in the database the one that was signed, stored and published? For
 * ledger.c; reads only.
 */
#pragma once

#include "base/tlog/checkpoint.h"
#include "db/ledger/ledger.h"

struct check_against {
    struct checkpoint stored;                /* the newest in the database; size 0: none */
    struct checkpoint published;             /* in the folder; the same */
    const struct ledger_signed *signed_last; /* NULL: nobody was asked */
    bool whole;                              /* as in ledger_check() */
};

/* `db` NULL is a record without a leaf. ERR_STALE: the record is older than what was signed or
 * published, or another; or does not agree with itself: it was edited. */
int check_record(struct store_db *db, const struct check_against *, struct err *e);
