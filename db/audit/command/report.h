/* SPDX-License-Identifier: Apache-2.0 */
/* report.h - what `lint` and `check` share: what they judge by, and what they say of it. */
#pragma once

#include "db/audit/files.h"
#include "db/audit/lint/judge.h"

/* The auditor's own table with the files of --profiles. */
struct lint_table *report_table(struct err *e) OWNED(lint_table_free);
/* With the certificates of --issuer. */
struct lint_judge *report_judge(const struct lint_table *, struct findings *, struct err *e)
    OWNED(lint_judge_free);

/* The findings, or with --certificates a row for each certificate; then how many of them there are,
 * and what could not be asked. */
int report_write(FILE *, enum sink_format, const struct audit_log *, const struct lint_judge *,
                 struct findings *, struct err *e);

/* --state: from which leaf on things are new, 0 without it; the ledger continues what it was then.
 * And, when all was said, it is remembered. */
int report_since(struct audit_log *, uint64_t *from, struct err *e);
int report_remember(const struct audit_log *, struct err *e);
