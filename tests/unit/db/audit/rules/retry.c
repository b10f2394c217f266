/* SPDX-License-Identifier: Apache-2.0 */
/* Further tries, leaf by leaf: who rejects gets one for each registration, and nobody more. */
#include "db/audit/rules/retry.h"

#include "tests/support/test.h"
#include "tests/unit/db/audit/rules/steps.h"

enum { NOW = 1790000000 };

#define ONE "5a000000000000000000000000000001"
#define TWO "5a000000000000000000000000000002"
#define THREE "5a000000000000000000000000000003"
#define HERE "aabbccddeeff00112233445566778899"
#define THERE "00112233445566778899aabbccddeeff"

/* `other` is insteadOf. */
static int
check(void *rules, const struct audit_step *s, struct err *e)
{
    struct leaf *leaf = leaf_new(s->kind, NOW);
    int result;

    leaf_set_text(leaf, "serial", s->serial);
    if (s->registration != NULL) {
        leaf_set_text(leaf, "registration", s->registration);
    }
    if (s->other != NULL) {
        leaf_set_text(leaf, "insteadOf", s->other);
    }
    result = audit_retries_check(rules, leaf, e);
    leaf_free(leaf);
    return result;
}

static void
a_further_try_is_of_what_was_rejected_and_once(void **state)
{
    static const struct audit_story rows[] = {
        {"once",
         {{LEAF_REJECTED, ONE, NULL, 0, HERE, NULL},
          {LEAF_INTENT, TWO, ONE, 0, HERE, NULL},
          {LEAF_ISSUED, TWO, NULL, 0, NULL, NULL}},
         NULL},
        {"what was not rejected",
         {{LEAF_INTENT, TWO, ONE, 0, HERE, NULL}},
         "which no network function"},
        {"what was given up or not confirmed",
         {{LEAF_REJECTED, ONE, NULL, 0, NULL, NULL}, {LEAF_INTENT, TWO, ONE, 0, HERE, NULL}},
         "which no network function"},
        {"under another registration",
         {{LEAF_REJECTED, ONE, NULL, 0, THERE, NULL}, {LEAF_INTENT, TWO, ONE, 0, HERE, NULL}},
         "which no network function"},
        {"under none",
         {{LEAF_REJECTED, ONE, NULL, 0, HERE, NULL}, {LEAF_INTENT, TWO, ONE, 0, NULL, NULL}},
         "which no network function"},
        {"twice",
         {{LEAF_REJECTED, ONE, NULL, 0, HERE, NULL},
          {LEAF_INTENT, TWO, ONE, 0, HERE, NULL},
          {LEAF_ISSUED, TWO, NULL, 0, NULL, NULL},
          {LEAF_REJECTED, TWO, NULL, 0, HERE, NULL},
          {LEAF_INTENT, THREE, TWO, 0, HERE, NULL}},
         "had its further try by " TWO},
        {"once more, when the first was given up",
         {{LEAF_REJECTED, ONE, NULL, 0, HERE, NULL},
          {LEAF_INTENT, TWO, ONE, 0, HERE, NULL},
          {LEAF_REJECTED, TWO, NULL, 0, NULL, NULL},
          {LEAF_INTENT, THREE, ONE, 0, HERE, NULL}},
         NULL},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct audit_retries *r = audit_retries_new();

        audit_story_tell(&rows[i], r, check);
        audit_retries_free(r);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_further_try_is_of_what_was_rejected_and_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
