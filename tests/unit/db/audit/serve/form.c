/* SPDX-License-Identifier: Apache-2.0 */
/* What a form sends, and what looks like it. */
#include "db/audit/serve/form.h"

#include <stdio.h>

#include "tests/support/test.h"

static void
fields_have_their_text(void **state)
{
    CLEANUP(form_free) struct form form = {0};
    struct err e = {0};

    (void)state;
    assert_ok(form_parse(&form, "a=b&c=&d&=&%61b=%E2%82%AC+x%26%3d&e==", &e), &e);
    assert_int_equal(form.n, 3);
    assert_string_equal(form.fields[0].name, "a");
    assert_string_equal(form.fields[0].value, "b");
    assert_string_equal(form.fields[1].name, "ab");
    assert_string_equal(form.fields[1].value, "\xe2\x82\xac x&=");
    assert_string_equal(form.fields[2].name, "e");
    assert_string_equal(form.fields[2].value, "=");
}

static void
what_no_form_sends_is_refused(void **state)
{
    static const char *const rows[] = {"a=%",         "a=%4",     "a=%4g", "a=%00",
                                       "a=%ff",       "a=%c0%80", "%00=b", "%ff=b",
                                       "a=%ed%a0%80", "a=% 1",    "a=%+1", "a=b&c=%"};
    struct err e = {0};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(form_free) struct form form = {0};

        print_message("row %s\n", rows[i]);
        assert_err(form_parse(&form, rows[i], &e), ERR_INPUT, &e);
    }
}

static void
there_is_an_end_of_fields(void **state)
{
    char text[4 * (FORM_FIELDS + 1) + 1];
    struct err e = {0};

    (void)state;
    for (size_t n = FORM_FIELDS; n <= FORM_FIELDS + 1; n++) {
        CLEANUP(form_free) struct form form = {0};

        for (size_t i = 0; i < n; i++) {
            (void)snprintf(text + 4 * i, 5, "a=b&");
        }
        if (n == FORM_FIELDS) {
            assert_ok(form_parse(&form, text, &e), &e);
            assert_int_equal(form.n, n);
        } else {
            assert_err(form_parse(&form, text, &e), ERR_INPUT, &e);
        }
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields_have_their_text),
        cmocka_unit_test(what_no_form_sends_is_refused),
        cmocka_unit_test(there_is_an_end_of_fields),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
