/* SPDX-License-Identifier: Apache-2.0 */
/* judged.h - what `lint` and `check` share: what they judge by, and what they say of it. */
#pragma once

#include "db/audit/lint/judge.h"
#include "db/audit/mirror/mirror.h"
#include "db/audit/print_leaf.h"
#include "db/audit/verify.h"

/* The auditor's own table with the files of --profiles. */
struct lint_table *judged_table(struct err *e) OWNED(lint_table_free);
/* With the certificates of --issuer, in as many threads as there are processors. */
struct lint_judge *judged_by(const struct lint_table *, struct findings *, struct err *e)
    OWNED(lint_judge_free);

/* What is judged: a ledger's folder, or a mirror. */
struct judged {
    struct audit_log *log; /* NULL: */
    struct mirror *mirror;
    struct checkpoint earlier; /* of --state; size 0: none */
    uint64_t from;             /* what is judged begins at this leaf */
    uint64_t kept;             /* errors of leaves before it that the mirror has */
    char *by;                  /* the line of --state that says by what */
};
/* For CLEANUP. */
void judged_close(struct judged *);
/* EXIT_VERIFIED, or another status after the reason was printed. */
int judged_open(struct judged *);
struct basis judged_basis(const struct judged *);
/* --state: what is there continues what was there then. Leaves from `from` on are judged: the new
 * ones, or all, after standard error said so, when something else judged what was there then. */
int judged_since(struct judged *, const struct lint_judge *, bool by_check, struct err *e);
int judged_verify(struct judged *, struct audit_issuers *, audit_leaf *each, void *arg,
                  struct audit_figures *, struct err *e);
/* Behind the last leaf: ERR_CRYPTO for a certificate that its issuing certificate did not sign. */
int judged_signed(struct lint_judge *, struct err *e);
/* When all was said: into a mirror what was found; and --state. */
int judged_remember(const struct judged *, bool by_check, const struct findings *, struct err *e);

/* The exit status, when all else went well or not: EXIT_FINDINGS for those of now, and for errors
 * of before, which a state does not make good. */
int judged_status(const struct judged *, const struct findings *, int status);

/* The findings, or with --certificates a row for each certificate; then how many of them there are,
 * and what could not be asked. */
int judged_write(FILE *, enum sink_format, const struct judged *, const struct lint_judge *,
                 struct findings *, struct err *e);
