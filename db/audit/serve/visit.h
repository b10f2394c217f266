/* SPDX-License-Identifier: Apache-2.0 */
/*
 * visit.h - one request: what it is for, and the state of the mirror that its answer is made of.
 * That is opened for it and closed behind it, so each answer is of one state, whatever is imported
 * meanwhile. Private to serve/.
 */
#pragma once

#include <stdint.h>
#include <stdio.h>
#include <time.h>

#include "db/audit/mirror/mirror.h"
#include "db/audit/rules/issuer.h"
#include "db/audit/serve/form.h"
#include "db/audit/serve/route.h"
#include "db/audit/witness/witnessed.h"

struct visit {
    struct mirror *mirror;
    bool key_is_given;
    struct audit_issuers *issuers; /* borrowed, as these: */
    STACK_OF(X509) * vendors;
    const struct tlog_policy *policy; /* NULL: nobody gave one */
    time_t now;
    struct route route;
    struct form form;
    uint64_t rows; /* that a file may have */
    FILE *out;
};

/* ERR_INPUT: what was asked is nothing that can be asked; ERR_NOTFOUND; else the mirror. What was
 * written then is no answer. */
typedef int visit_page(const struct visit *, struct err *e);
visit_page list_page, list_data, show_page, show_data, explain_page, prove_data, report_front,
    help_page;
