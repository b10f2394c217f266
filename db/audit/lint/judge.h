/* SPDX-License-Identifier: Apache-2.0 */
/*
 * judge.h - each ISSUED of a record, one after the other, with what the leaves before it say: its
 * INTENT, what the registrar signed, who issued, and who had that serial number or that key before.
 * What comes of it is kept for the end: leaves are believed when all are verified (verify.h).
 *
 * Memory: intents that are open, what each registration says, the serial number and the hash of the
 * key of each certificate, and a row for each.
 */
#pragma once

#include "db/audit/lint/asked.h"

struct lint_judge;
void lint_judge_free(struct lint_judge *);
/* What has failed is added to the findings; both must outlive it. */
struct lint_judge *lint_judge_new(const struct lint_table *, struct findings *)
    OWNED(lint_judge_free);
DEFINE_CLEANUP(lint_judge_cleanup, struct lint_judge, lint_judge_free)
/* Before the first leaf: an issuing certificate, which a START names by its SHA-256. */
int lint_judge_issuer(struct lint_judge *, X509 *, struct err *e);
/* SHA-256 of all that it judges by: this program, the table, these certificates in any order. */
int lint_judge_hash(const struct lint_judge *, uint8_t out[SHA256_SIZE], struct err *e);
/* Certificates in leaves before this one are remembered and not judged. */
void lint_judge_from(struct lint_judge *, uint64_t leaf);

/* Before the first leaf, too: threads judge while leaves are read on. The table and the issuing
 * certificates do not change from here on. */
int lint_judge_threads(struct lint_judge *, size_t threads, struct err *e);

/* The next leaf, of any kind: an audit_leaf (verify.h). */
void lint_judge_leaf(void *judge, uint64_t index, const struct leaf *);
/* Behind the last one: all that came is judged. */
void lint_judge_end(struct lint_judge *);

size_t lint_judge_count(const struct lint_judge *);
const struct lint_verdict *lint_judge_at(const struct lint_judge *, size_t i);

/* The first one that the issuing certificate of its START, which is here, did not sign; NULL. */
const struct lint_verdict *lint_judge_forged(const struct lint_judge *);

/* Why lints could not run: each reason once, with how many of them. NULL behind the last. */
struct lint_lack {
    char *text;
    size_t n; /* questions that were not asked because of it */
};
const struct lint_lack *lint_judge_lack(const struct lint_judge *, size_t i);
