/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/test.h"

#include "ceremony/definition/steps.h"

#include <string.h>

static void
expect(enum ceremony_type type, const char *const names[], size_t n)
{
    assert_int_equal(step_count(type), n);
    for (size_t i = 0; i < n; i++) {
        assert_string_equal(step_at(type, i)->name, names[i]);
    }
    assert_null(step_at(type, n));
}

static void
each_kind_of_ceremony_has_its_steps_in_order(void **state)
{
    static const char *const generate[] = {
        "environment", "people", "clock",      "definition",  "previous",     "token",
        "activation",  "keys",   "key-checks", "certificate", "deactivation", "seal"};
    static const char *const keys[] = {"environment", "people",   "clock",        "definition",
                                       "previous",    "token",    "activation",   "keys",
                                       "key-checks",  "requests", "deactivation", "seal"};
    static const char *const issue[] = {"environment",  "people",     "clock",    "definition",
                                        "previous",     "activation", "incoming", "certificate",
                                        "deactivation", "seal"};
    static const char *const crl[] = {"environment", "people",       "clock",
                                      "definition",  "previous",     "activation",
                                      "crl",         "deactivation", "seal"};

    static const char *const secrets[] = {"environment",  "people",     "clock", "definition",
                                          "previous",     "activation", "keys",  "key-checks",
                                          "deactivation", "seal"};

    (void)state;
    expect(SECRET_GENERATE, secrets, ARRAY_LEN(secrets));
    expect(ROOT_GENERATE, generate, ARRAY_LEN(generate));
    expect(KEY_GENERATE, keys, ARRAY_LEN(keys));
    expect(SUB_ISSUE, issue, ARRAY_LEN(issue));
    expect(ROOT_CRL, crl, ARRAY_LEN(crl));
}

static void
what_changes_a_token_or_uses_the_root_key_says_that_it_cannot_be_undone(void **state)
{
    static const enum ceremony_type types[] = {ROOT_GENERATE, KEY_GENERATE, SUB_ISSUE, ROOT_CRL,
                                               SECRET_GENERATE};

    (void)state;
    for (size_t t = 0; t < ARRAY_LEN(types); t++) {
        for (size_t i = 0; i < step_count(types[t]); i++) {
            const struct step *step = step_at(types[t], i);
            bool irreversible = step->id == STEP_TOKEN || step->id == STEP_KEYS ||
                                step->id == STEP_CERTIFICATE || step->id == STEP_CRL;

            assert_int_equal(step->no_undo != NULL, irreversible);
            assert_true(strlen(step->what) > 0 && strlen(step->actor) > 0);
        }
    }
}

static void
nothing_is_signed_before_people_clock_definition_and_the_line_are_checked(void **state)
{
    static const enum ceremony_type types[] = {ROOT_GENERATE, KEY_GENERATE, SUB_ISSUE, ROOT_CRL,
                                               SECRET_GENERATE};
    static const enum step_id first[] = {STEP_ENVIRONMENT, STEP_PEOPLE, STEP_CLOCK, STEP_DEFINITION,
                                         STEP_PREVIOUS};

    (void)state;
    for (size_t t = 0; t < ARRAY_LEN(types); t++) {
        for (size_t i = 0; i < ARRAY_LEN(first); i++) {
            assert_int_equal(step_at(types[t], i)->id, first[i]);
        }
        assert_int_equal(step_at(types[t], step_count(types[t]) - 1)->id, STEP_SEAL);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_kind_of_ceremony_has_its_steps_in_order),
        cmocka_unit_test(what_changes_a_token_or_uses_the_root_key_says_that_it_cannot_be_undone),
        cmocka_unit_test(nothing_is_signed_before_people_clock_definition_and_the_line_are_checked),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
