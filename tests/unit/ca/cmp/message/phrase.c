/* SPDX-License-Identifier: Apache-2.0 */
/* Every text that a network function can get: who is at fault, and what it is told to do. */
#include "ca/cmp/message/phrase.h"

#include <ctype.h>
#include <string.h>

#include "ca/link/msg.h"
#include "tests/support/test.h"

_Static_assert((int)PHRASE_MAX <= (int)LINK_PHRASE_MAX, "each phrase fits on the link");

#define EACH(p)                                                                                    \
    enum phrase p = (enum phrase)(PHRASE_NONE + 1);                                                \
    (p) < PHRASE_COUNT;                                                                            \
    (p)++

static bool
is_ours(enum cmp_failure failure)
{
    return failure == CMP_SYSTEM_UNAVAIL || failure == CMP_SYSTEM_FAILURE ||
           failure == CMP_TIME_NOT_AVAILABLE;
}

static void
who_is_at_fault_agrees_with_the_failinfo(void **state)
{
    (void)state;
    for (EACH(p)) {
        const struct phrase_row *row = phrase_row(p);

        switch (row->fault) {
        case FAULT_NOBODY:
            assert_int_equal(row->failure, CMP_NO_FAILURE);
            continue;
        case FAULT_PKI:
            /* Nobody is told that a message is wrong when it is we. */
            if (!is_ours(row->failure)) {
                fail_msg("%s: our fault, but %s", row->text, cmp_failure_name(row->failure));
            }
            continue;
        case FAULT_NF:
        case FAULT_OPERATOR:
            /* What was asked too often is granted later, and no other failInfo says so. */
            if (is_ours(row->failure) && p != PHRASE_BUDGET && p != PHRASE_TOO_OFTEN) {
                fail_msg("%s: not our fault, but %s", row->text, cmp_failure_name(row->failure));
            }
            continue;
        }
        fail_msg("%s: nobody's fault", row->text);
    }
}

static void
each_says_what_is_wrong_and_what_to_do_next(void **state)
{
    (void)state;
    for (EACH(p)) {
        const char *text = phrase_text(p);
        const char *next = strstr(text, ": ");
        const char *hole = strstr(text, PHRASE_HOLE);

        if (next == NULL || next == text || strlen(next + 2) < 4) {
            fail_msg("%s: and what next?", text);
        }
        if (hole != NULL && strstr(hole + 1, PHRASE_HOLE) != NULL) {
            fail_msg("%s: two values", text);
        }
        for (const char *c = text; *c != '\0'; c++) {
            assert_true(isprint((unsigned char)*c));
        }
    }
}

static void
each_fits_with_the_longest_value(void **state)
{
    char value[ERR_VALUE_SIZE];
    char out[PHRASE_SIZE];

    (void)state;
    memset(value, 'v', sizeof(value) - 1);
    value[sizeof(value) - 1] = '\0';
    for (EACH(p)) {
        size_t n = strlen(phrase_text(p));
        const bool filled = strstr(phrase_text(p), PHRASE_HOLE) != NULL;

        n = filled ? n - strlen(PHRASE_HOLE) + strlen(value) : n;
        phrase_format(p, value, out);
        if (n > PHRASE_MAX || strlen(out) != n || strstr(out, PHRASE_HOLE) != NULL) {
            fail_msg("%s: %zu characters", phrase_text(p), n);
        }
    }
}

static void
no_two_say_the_same(void **state)
{
    (void)state;
    for (EACH(p)) {
        for (enum phrase other = (enum phrase)(p + 1); other < PHRASE_COUNT; other++) {
            if (strcmp(phrase_text(p), phrase_text(other)) == 0) {
                fail_msg("twice: %s", phrase_text(p));
            }
        }
    }
}

static void
each_failinfo_has_a_row_of_its_own(void **state)
{
    (void)state;
    for (int i = 0; i < CMP_FAILURE_COUNT; i++) {
        assert_int_equal(phrase_row(phrase_of_failure((enum cmp_failure)i))->failure, i);
    }
    /* A failure that was not named is ours. */
    assert_int_equal(phrase_row(phrase_of_failure(CMP_NO_FAILURE))->failure, CMP_SYSTEM_FAILURE);
}

static void
a_refusal_carries_its_phrase_past_its_context(void **state)
{
    enum cmp_failure failure = CMP_NO_FAILURE;
    char out[PHRASE_SIZE];
    struct err e = {0};

    (void)state;
    assert_int_equal(phrase_refuse(&failure, PHRASE_BODY, &e, "body %s", "ccr"), -1);
    assert_int_equal(phrase_value(&e, "%s", "ccr"), -1);
    (void)err_wrap(&e, "message");
    assert_int_equal(failure, CMP_BAD_REQUEST);
    assert_int_equal(e.code, ERR_INPUT);
    assert_string_equal(e.text, "message: body ccr");
    phrase_tell(failure, &e, out);
    assert_non_null(strstr(out, "body ccr is not accepted here: "));
}

static void
a_phrase_goes_with_its_own_failinfo_only(void **state)
{
    enum cmp_failure failure;
    char out[PHRASE_SIZE];
    struct err e = {0};

    (void)state;
    (void)phrase_refuse(&failure, PHRASE_KEY_TAKEN, &e, "taken");
    phrase_tell(CMP_SYSTEM_FAILURE, &e, out);
    assert_string_equal(out, phrase_text(phrase_of_failure(CMP_SYSTEM_FAILURE)));
    (void)err_set(&e, ERR_DENIED, "something else");
    phrase_tell(CMP_BAD_CERT_TEMPLATE, &e, out);
    assert_string_equal(out, phrase_text(phrase_of_failure(CMP_BAD_CERT_TEMPLATE)));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_is_at_fault_agrees_with_the_failinfo),
        cmocka_unit_test(each_says_what_is_wrong_and_what_to_do_next),
        cmocka_unit_test(each_fits_with_the_longest_value),
        cmocka_unit_test(no_two_say_the_same),
        cmocka_unit_test(each_failinfo_has_a_row_of_its_own),
        cmocka_unit_test(a_refusal_carries_its_phrase_past_its_context),
        cmocka_unit_test(a_phrase_goes_with_its_own_failinfo_only),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
