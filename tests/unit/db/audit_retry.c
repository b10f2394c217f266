/* SPDX-License-Identifier: Apache-2.0 */
/* Further tries, leaf by leaf: who rejects gets one for each registration, and nobody more. */
#include "db/audit_retry.h"

#include <string.h>

#include "tests/support/test.h"

enum { NOW = 1790000000, STEPS_MAX = 6 };

#define ONE "5a000000000000000000000000000001"
#define TWO "5a000000000000000000000000000002"
#define THREE "5a000000000000000000000000000003"
#define HERE "aabbccddeeff00112233445566778899"
#define THERE "00112233445566778899aabbccddeeff"

struct step {
    enum leaf_kind kind;
    const char *serial;
    const char *registration;
    const char *instead_of;
};

static int
check(struct audit_retries *r, const struct step *s, struct err *e)
{
    struct leaf *leaf = leaf_new(s->kind, NOW);
    int result;

    leaf_set_text(leaf, "serial", s->serial);
    if (s->registration != NULL) {
        leaf_set_text(leaf, "registration", s->registration);
    }
    if (s->instead_of != NULL) {
        leaf_set_text(leaf, "insteadOf", s->instead_of);
    }
    result = audit_retries_check(r, leaf, e);
    leaf_free(leaf);
    return result;
}

static void
a_further_try_is_of_what_was_rejected_and_once(void **state)
{
    static const struct {
        const char *name;
        struct step steps[STEPS_MAX];
        const char *says; /* of the last step; NULL: nothing */
    } rows[] = {
        {"once",
         {{LEAF_REJECTED, ONE, HERE, NULL},
          {LEAF_INTENT, TWO, HERE, ONE},
          {LEAF_ISSUED, TWO, NULL, NULL}},
         NULL},
        {"what was not rejected", {{LEAF_INTENT, TWO, HERE, ONE}}, "which no network function"},
        {"what was given up or not confirmed",
         {{LEAF_REJECTED, ONE, NULL, NULL}, {LEAF_INTENT, TWO, HERE, ONE}},
         "which no network function"},
        {"under another registration",
         {{LEAF_REJECTED, ONE, THERE, NULL}, {LEAF_INTENT, TWO, HERE, ONE}},
         "which no network function"},
        {"under none",
         {{LEAF_REJECTED, ONE, HERE, NULL}, {LEAF_INTENT, TWO, NULL, ONE}},
         "which no network function"},
        {"twice",
         {{LEAF_REJECTED, ONE, HERE, NULL},
          {LEAF_INTENT, TWO, HERE, ONE},
          {LEAF_ISSUED, TWO, NULL, NULL},
          {LEAF_REJECTED, TWO, HERE, NULL},
          {LEAF_INTENT, THREE, HERE, TWO}},
         "had its further try by " TWO},
        {"once more, when the first was given up",
         {{LEAF_REJECTED, ONE, HERE, NULL},
          {LEAF_INTENT, TWO, HERE, ONE},
          {LEAF_REJECTED, TWO, NULL, NULL},
          {LEAF_INTENT, THREE, HERE, ONE}},
         NULL},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct audit_retries *r = audit_retries_new();
        struct err e = {0};
        int result = 0;

        print_message("%s\n", rows[i].name);
        for (size_t k = 0; k < STEPS_MAX && rows[i].steps[k].serial != NULL; k++) {
            assert_int_equal(result, 0);
            result = check(r, &rows[i].steps[k], &e);
        }
        if (rows[i].says == NULL) {
            assert_ok(result, &e);
        } else {
            assert_int_equal(result, -1);
            assert_int_equal(e.code, ERR_CRYPTO);
            assert_non_null(strstr(e.text, rows[i].says));
        }
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
