/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lint.h - each certificate in the record judged once more, from its octets and the record alone,
 * by nothing that issues: a table of questions (lint.c), each with an identifier that stays, asked
 * of one certificate (case.h).
 *
 * Pure: a case may be judged in any thread.
 */
#pragma once

#include "db/audit/lint/case.h"
#include "db/audit/lint/findings.h"

/* What a question needs, beside a certificate that can be read. */
enum lint_need {
    LINT_NEEDS_PROFILE = 1 << 0,
    LINT_NEEDS_ISSUER = 1 << 1,
    LINT_NEEDS_DOCUMENT = 1 << 2, /* and so it is of network functions alone */
    LINT_NEEDS_NF = 1 << 3,       /* it is of network functions alone */
    LINT_NEEDS_OCTETS = 1 << 4,   /* no certificate that can be read is needed */
};

struct lint {
    struct finding_kind kind; /* "lint.ku.value" */
    unsigned needs;           /* enum lint_need */
    const char *text;         /* what must be true */
    lint_check *check;
};

/* The table in order; NULL behind its end. At most LINTS_MAX. */
enum { LINTS_MAX = 64 };
const struct lint *lint_at(size_t i);

/* One question of one certificate. */
enum lint_outcome lint_ask(const struct lint *, const struct lint_case *, struct err *why);
