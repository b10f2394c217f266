/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/test.h"

#include <string.h>

#include "ceremony/place.h"

static struct places places;

static void
options_and_sections_are_found_with_their_lines(void **state)
{
    static const char text[] = "a = 1 # b = 2\n"
                               "/* c = 3\n"
                               "*/ d = \"x { = }\"\n"
                               "s {\n"
                               "  e = {1, 2,\n"
                               "    3}\n"
                               "  t \"one\" { f = 2026-11-23T00:00:00Z }\n"
                               "}\n"
                               "// g = 1\n"
                               "h = 'y'\n";
    struct err e = {0};

    (void)state;
    assert_ok(places_scan("x", span_str(text), &places, &e), &e);
    assert_int_equal(places.n, 7);
    assert_int_equal(places_line(&places, "a"), 1);
    assert_int_equal(places_line(&places, "d"), 3);
    assert_int_equal(places_line(&places, "s.e"), 5);
    assert_int_equal(places_line(&places, "s.t.one.f"), 7);
    assert_int_equal(places_line(&places, "s.t.one.absent"), 7);
    assert_int_equal(places_line(&places, "s.absent"), 4);
    assert_int_equal(places_line(&places, "h"), 10);
    assert_int_equal(places_line(&places, "absent"), 1);
}

static void
what_a_reviewer_could_overlook_is_refused(void **state)
{
    static const char *const rows[] = {
        "a = 1\na = 2\n",
        "s { a = 1 }\ns { b = 1 }\n",
        "a += 1\n",
        "a = \"\\n\"\n",
        "a = \"x\ny\"\n",
        "s {\n",
        "}\n",
        "a =\n",
        "a = {1, 2\n",
        "a\n",
        "a = \xc3\xa4\n",
        "a\t= 1\n",
        "s \"t\" { a = 1 }\ns \"t\" { b = 1 }\n",
        "s \"a.b\" { c = 1 }\n",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct err e = {0};

        if (places_scan("x", span_str(rows[i]), &places, &e) == 0) {
            fail_msg("row %zu accepted: %s", i, rows[i]);
        }
        assert_int_equal(e.code, ERR_INPUT);
    }
}

static void
any_cut_of_a_text_is_scanned_without_harm(void **state)
{
    static const char text[] = "a = \"b\" s \"t\" { /* c */ d = {1, 2} } # e\nf = 'g'\n";

    (void)state;
    for (size_t n = 0; n < sizeof(text); n++) {
        struct err e = {0};

        (void)places_scan("x", span_of(text, n), &places, &e);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(options_and_sections_are_found_with_their_lines),
        cmocka_unit_test(what_a_reviewer_could_overlook_is_refused),
        cmocka_unit_test(any_cut_of_a_text_is_scanned_without_harm),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
