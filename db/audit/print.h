/* SPDX-License-Identifier: Apache-2.0 */
/*
 * print.h - what was found, for people and (JSON) for programs. Text from the ledger is
 * printed with everything but printable ASCII escaped, so that it cannot drive a terminal.
 */
#pragma once

#include <stdio.h>

#include "db/audit/proof.h"
#include "db/audit/status.h"
#include "db/audit/verify.h"
#include "db/audit/witness/witnessed.h"
#include "db/ledger/messages.h"

/* What `verify` has to say beyond the log. */
struct audit_verdict {
    const struct audit_figures *figures;
    struct message_count messages;
    const char *state; /* file, NULL when none was given */
    bool known;        /* it was there before */
    uint64_t earlier;  /* size that it remembered */
    bool certificate;  /* one was asked for, and found: */
    uint64_t leaf;
    enum audit_status status;
    const struct witnessed *witnessed; /* NULL: nobody asked */
};
void audit_print_verdict(FILE *, const struct audit_log *, const struct audit_verdict *);
/* A line for each; none when there are none. */
void audit_print_findings(FILE *, const struct audit_figures *);
int audit_json_verdict(FILE *, const struct audit_log *, const struct audit_verdict *,
                       struct err *e);
/* {"verified":false, ...} */
int audit_json_failure(FILE *, const struct err *reason, struct err *e);

int audit_print_proof(FILE *, const struct proof *, struct err *e);
int audit_json_proof(FILE *, const struct proof *, struct err *e);
