/* SPDX-License-Identifier: Apache-2.0 */
/*
 * asked.h - one certificate that is to be judged, with all that it is judged by, and what came of
 * it. It can be judged in any thread: what it borrows does not change meanwhile.
 */
#pragma once

#include "db/audit/lint/lint.h"

/* Bit n is lint_at(n). What is in none of the three is of other certificates. */
struct lint_verdict {
    uint64_t leaf; /* its ISSUED */
    char *serial;
    char *profile;
    uint64_t passed, failed, not_run;
};

struct lint_asked {
    /* Its own. */
    struct leaf *intent;
    struct buf der;
    time_t issued; /* when ISSUED was recorded */
    /* Borrowed. */
    const struct lint_table *table;
    const char *document;  /* JSON; NULL: nothing in the record */
    const char *key_owner; /* who else has its key; NULL: nobody */
    bool serial_twice;
    /* What came of it. */
    struct lint_verdict verdict; /* its leaf is given */
    char *why[LINTS_MAX];        /* it failed, or could not be asked; NULL: neither */
};
void lint_asked_clear(struct lint_asked *);
/* All questions. `issuer`: NULL when it is not here. */
void lint_asked_judge(struct lint_asked *, X509 *issuer);
