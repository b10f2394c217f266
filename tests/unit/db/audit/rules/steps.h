/* SPDX-License-Identifier: Apache-2.0 */
/* steps.h - rules about a certificate's leaves, told as what happened, step by step. */
#pragma once

#include "db/ledger/leaf.h"

enum { AUDIT_STEPS_MAX = 8 };

/* A leaf about a certificate; each test says which members the others are. */
struct audit_step {
    enum leaf_kind kind;
    const char *serial;
    const char *other; /* serial; NULL: none */
    time_t at;         /* messageTime; 0: none */
    const char *registration;
    const char *rid;
};

struct audit_story {
    const char *name;
    struct audit_step steps[AUDIT_STEPS_MAX];
    const char *says; /* of the last step; NULL: nothing */
};

/* What the rules under test say of the next step. */
typedef int audit_step_check(void *rules, const struct audit_step *, struct err *e);

/* Every step but the last one is right; the last one is what the story says. */
void audit_story_tell(const struct audit_story *, void *rules, audit_step_check *);
