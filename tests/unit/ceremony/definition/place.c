/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/test.h"

#include <string.h>

#include "ceremony/definition/place.h"

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
    static const struct {
        const char *text;
        const char *reason;
    } rows[] = {
        {"a = 1\na = 2\n", "x:2: 'a' stands in line 1 already"},
        {"s { a = 1 }\ns { b = 1 }\n", "x:2: 's' stands in line 1 already"},
        {"s { a = 1\n a = 2 }", "x:2: 's.a' stands in line 1 already"},
        {"a += 1\n", "x:1: expected `=`, a title or `{`"},
        {"a = \"\\n\"\n", "x:1: a value is missing"},
        {"a = \"x\ny\"\n", "x:1: a value is missing"},
        {"a = \"x", "x:1: a value is missing"},
        {"a = }", "x:1: a value is missing"},
        {"s {\n", "x:2: a section is not closed"},
        {"}\n", "x:1: expected the name of an option or a section"},
        {"s {}}\n", "x:1: expected the name of an option or a section"},
        {"= 1\n", "x:1: expected the name of an option or a section"},
        {"\"a\" = 1\n", "x:1: expected the name of an option or a section"},
        {", = 1\n", "x:1: expected the name of an option or a section"},
        {"a =\n", "x:2: a value is missing"},
        {"a = {1, 2\n", "x:2: a list is not closed"},
        {"a = {1, = }\n", "x:1: a list is not closed"},
        {"a\n", "x:2: expected `=`, a title or `{`"},
        {"a \"t\"\n", "x:2: expected `{`"},
        {"a t = 1\n", "x:1: expected `{`"},
        {"a = \xc3\xa4\n", "x:1: octet 0xc3: printable ASCII only, no tabs"},
        {"\na\t= 1\n", "x:2: octet 0x09: printable ASCII only, no tabs"},
        {"a = 1\x7f\n", "x:1: octet 0x7f: printable ASCII only, no tabs"},
        {"a = 1\x1f\n", "x:1: octet 0x1f: printable ASCII only, no tabs"},
        {"s \"t\" { a = 1 }\ns \"t\" { b = 1 }\n", "x:2: 's.t' stands in line 1 already"},
        {"s \"a.b\" { c = 1 }\n", "x:1: a title has no dot"},
        {"a {b {c {d {e = 1}}}}\n", NULL},
        {"a {b {c {d {e {}}}}}\n", "x:1: sections are too deep"},
        {"a = \"~ \"\n", NULL},
        {"s t { a = 1 } s u { a = 1 }\n", NULL},
        {"a = 1 // a = 2\n/* a = 3 */b = 'x'\n", NULL},
        {"a = 1 /* b = 2", NULL},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct err e = {0};
        int result = places_scan("x", span_str(rows[i].text), &places, &e);

        if ((result == 0) != (rows[i].reason == NULL) ||
            (rows[i].reason != NULL &&
             (strstr(e.text, rows[i].reason) == NULL || e.code != ERR_INPUT))) {
            fail_msg("row %zu (%s): not '%s' but '%s'", i, rows[i].text, rows[i].reason, e.text);
        }
    }
}

/* 512 options and not one more. */
static void
options_are_counted(void **state)
{
    CLEANUP(buf_free) struct buf text = BUF_INIT(64 * 1024);
    struct err e = {0};

    (void)state;
    for (size_t i = 0; i < PLACES_MAX; i++) {
        CLEANUP(mem_cleanup) char *line = mem_printf("o%zu = 1\n", i);

        assert_ok(buf_append_str(&text, line, &e), &e);
    }
    assert_ok(places_scan("x", buf_span(&text), &places, &e), &e);
    assert_int_equal(places.n, PLACES_MAX);
    assert_int_equal(places_line(&places, "o511"), 512);
    assert_ok(buf_append_str(&text, "more = 1\n", &e), &e);
    assert_err(places_scan("x", buf_span(&text), &places, &e), ERR_INPUT, &e);
    assert_string_equal(e.text, "x:513: too many options");
}

/* Only titles are looked at: a name that is cut is none that anybody knows. */
static void
words_of_any_length_are_scanned(void **state)
{
    char word[121];
    struct err e = {0};

    (void)state;
    memset(word, 'w', sizeof(word) - 1);
    word[sizeof(word) - 1] = '\0';
    for (size_t n = 70; n <= 120; n++) {
        CLEANUP(mem_cleanup) char *text = mem_printf("a = \"%.*s\"\nb = 1\n", (int)n, word);
        CLEANUP(mem_cleanup) char *title = mem_printf("s \"%.*s\" {}\n", (int)n, word);

        assert_ok(places_scan("x", span_str(text), &places, &e), &e);
        assert_int_equal(places_line(&places, "b"), 2);
        assert_ok(places_scan("x", span_str(title), &places, &e), &e);
        assert_int_equal(strlen(places.at[0].name), 2 + (n < 79 ? n : 79));
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
        cmocka_unit_test(options_are_counted),
        cmocka_unit_test(words_of_any_length_are_scanned),
        cmocka_unit_test(any_cut_of_a_text_is_scanned_without_harm),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
