/* SPDX-License-Identifier: Apache-2.0 */
/*
 * origin.h - has the record the leaf that a row comes from? The other way of compare.h: what
 * somebody inserted has none. Private to db/issuance/.
 *
 * Rows that have a leaf: of all tables but public_key and setting. A refused request, an intent
 * and a reserved CRL number are rows, too; the last has no leaf, and is nothing.
 */
#pragma once

#include "db/issuance/compare.h"

/* In the order of a walk. */
enum origin_table {
    ORIGIN_REGISTRATION,
    ORIGIN_REQUEST,
    ORIGIN_CERTIFICATE,
    ORIGIN_REVOCATION,
    ORIGIN_CONFIRMATION,
    ORIGIN_PENDING,
    ORIGIN_APPROVAL,
    ORIGIN_AGAIN,
    ORIGIN_REVOCATION_REQUEST,
    ORIGIN_CRL,
    ORIGIN_QUEUE_HEAD,
    ORIGIN_TABLES, /* how many */
};

const char *origin_name(enum origin_table);

/* The place of a row in a walk through its table: behind all that are there when they are added, or
 * where its key belongs. All zero is before the first row. */
struct origin_place {
    int64_t begun; /* not 0: behind this row */
    int64_t row;
    uint64_t key_n;
    uint8_t key[64];
};

/* What a pass counts: the rows that were there when it began. */
struct origin_ends {
    uint64_t leaves;
    int64_t rows[ORIGIN_TABLES]; /* the greatest rowid; of tables that have none, and crl: 0 */
};
int origin_ends_get(struct store_db *, struct origin_ends *, struct err *e);

/* Compares the row behind *place, which moves on to it; *found tells whether there was one. *counts
 * becomes whether the pass that has these ends counts it. ERR_STALE names table and key. */
int origin_next(struct store_db *, enum origin_table, const struct origin_ends *,
                struct origin_place *place, bool *found, bool *counts, struct err *e);

/* How many leaves have a row in this table; -1: that is not one each. */
int64_t origin_expected(enum origin_table, const struct compare_seen *);
