/* SPDX-License-Identifier: Apache-2.0 */
/* state.h - a restore on its way, and the steps that have a file of their own. Private to
 * ca/restore/. */
#pragma once

#include "ca/restore/adopt.h"
#include "ca/restore/approvals.h"
#include "ca/restore/newest_crl.h"
#include "ca/restore/plan.h"
#include "ca/restore/restore.h"
#include "ca/restore/work.h"
#include "db/issuance/on_trust.h"
#include "db/ledger/published.h"

struct restore {
    struct ca *ca;
    const struct restore_options *options;
    struct restore_plan plan;
    struct ledger_signed last; /* what the log's key was asked for */
    struct log_key key;
    struct published *published;
    struct newest_crl crl;
    struct previous previous;
    struct adoption adoption;
    struct rebuild_source source;
    struct rebuild *rebuild;
    struct restore_work work;
    struct store *store; /* of the copy */
    struct plan_approval approvals[2];
    char *text; /* of the plan */
    time_t now;
    bool more;           /* rows or leaves to read */
    bool is_sealed;      /* each page that is left has its seal */
    uint64_t page;       /* to compare next */
    struct buf on_trust; /* a text */
};

typedef int restore_run_op(struct store_op *, struct store_db *, struct err *);
/* An operation on the copy, and whose it is. */
int restore_in_store(struct restore *, restore_run_op *run, struct err *e);
struct restore *restore_of(struct store_op *);

/* The copy, with the key that seals it. Closed again: nothing when it is not open. */
int restore_open(struct restore *, struct err *e);
void restore_close(struct restore *);

/* What is left is as nfpki-ca wrote it (believe.c). It is open from then on until step_close. */
int step_believe(struct restore *, struct err *e);
/* Of each leaf of the record: a file without seals is believed while it has no SEALED. ERR_STALE.
 */
int restore_check_unsealed(const struct restore *, const struct leaf *, struct err *e);

/* In an operation: the copy is no database that nfpki-ca starts with; it is one. Its seals say who
 * wrote it, and not what it is for. */
int restore_mark_copy(struct store_db *, struct err *e);
int restore_unmark_copy(struct store_db *, struct err *e);

/* Leaves that the database lacks, and their rows (read.c); the leaves once more, from their octets
 * in the copy, against what was signed, and what else there is to say of them in the plan. */
int step_read(struct restore *, struct err *e);
int step_compare(struct restore *, struct err *e);
/* Two officers have signed this plan (officers.c). */
int step_officers(struct restore *, struct err *e);
/* What it leaves in the record (record.c); all rows against all leaves. */
int step_record(struct restore *, struct err *e);
int step_verify(struct restore *, struct err *e);
