/* SPDX-License-Identifier: Apache-2.0 */
/* grant.h - a row of the tests of policy_grant_request(): what is asked, and what comes of it. */
#pragma once

#include "ca/cmp/message/phrase.h"
#include "tests/unit/ca/policy/scene.h"

enum { SMALL = 4096, HOUR = 3600 };

struct grant_row {
    const char *name;
    struct scene_request request;
    const char *json; /* NULL: MAC, nf-tls */
    const struct issuance_holder *holder;
    time_t registered;
    time_t now; /* 0: PKI_NOW + HOUR */
    enum cmp_failure failure;
    const char *why;
    enum phrase phrase; /* PHRASE_NONE: not asked */
    const char *value;  /* begin of what is filled in there; NULL: not asked */
};

/* What policy_grant_request() says. */
int grant(const struct scene *, const struct policy *, const struct grant_row *,
          struct policy_grant *g, enum cmp_failure *failure, struct err *e);
/* Fails the test with the name of the row when that is not what the row says. */
void grant_judge(const struct scene *, const struct policy *, const struct grant_row *);
void grant_judge_all(const struct scene *, const struct policy *, const struct grant_row *,
                     size_t n);
