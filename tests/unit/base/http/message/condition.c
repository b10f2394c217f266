/* SPDX-License-Identifier: Apache-2.0 */
#include "base/http/message/condition.h"

#include <stdio.h>
#include <string.h>

#include "tests/support/test.h"

enum { NOW = 1000000000, CHANGED = 784111777 }; /* Sun, 06 Nov 1994 08:49:37 GMT */

static void
each_form_of_a_date_is_read_and_one_is_written(void **state)
{
    static const char *const forms[] = {
        "Sun, 06 Nov 1994 08:49:37 GMT",
        "Sunday, 06-Nov-94 08:49:37 GMT",
        "Sun Nov  6 08:49:37 1994",
    };
    char text[HTTP_DATE_MAX + 1];
    time_t t;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
        assert_true(http_date_parse(forms[i], &t));
        assert_int_equal(t, CHANGED);
    }
    http_date_format(CHANGED, text);
    assert_string_equal(text, forms[0]);
    http_date_format(INT64_MAX, text); /* no year that there is a name for */
    assert_string_equal(text, "Thu, 01 Jan 1970 00:00:00 GMT");
    assert_false(http_date_parse("", &t));
    assert_false(http_date_parse("yesterday", &t));
    assert_false(http_date_parse("Sun, 06 Nov 1994 08:49:37 GMT+1", &t));
}

static void
a_tag_decides_and_otherwise_the_date(void **state)
{
    static const struct {
        const char *tags; /* NULL: there is no If-None-Match */
        const char *since;
        bool unchanged;
    } rows[] = {
        {NULL, "", false},
        {"\"abc\"", "", true},
        {"W/\"abc\"", "", true},
        {"*", "", true},
        {"\"x\", \"a,b\" ,W/\"abc\"", "", true},
        {"\"ab\"", "", false},
        {"\"abcd\"", "", false},
        {"\"abd\"", "", false},
        {"\"x\"\"abc\"", "", true}, /* nobody needs the comma */
        {"W\"abc\"", "", false},
        {"W/abc\"", "", false},
        {"**", "", false},
        {"abc", "", false},
        {"\"abc", "", false},
        {"\"x\" \"abc", "", false},
        {"", "Sun, 06 Nov 1994 08:49:37 GMT", false}, /* one that could not be kept */
        {"\"x\"", "Sun, 06 Nov 1994 08:49:37 GMT", false},
        {"\"abc\"", "Sun, 06 Nov 1994 08:49:36 GMT", true},
        {NULL, "Sun, 06 Nov 1994 08:49:37 GMT", true},
        {NULL, "Sun, 06 Nov 1994 08:49:38 GMT", true},
        {NULL, "Sun, 06 Nov 1994 08:49:36 GMT", false},
        {NULL, "Sun, 09 Sep 2001 01:46:40 GMT", true}, /* now */
        {NULL, "Sun, 09 Sep 2001 01:46:41 GMT", false},
        {NULL, "Sun, 06 Nov 2094 08:49:37 GMT", false}, /* RFC 9110 13.1.3: in the future */
        {NULL, "now", false},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct http_request r = {.has_if_none_match = rows[i].tags != NULL};

        (void)snprintf(r.if_none_match, sizeof(r.if_none_match), "%s",
                       rows[i].tags == NULL ? "" : rows[i].tags);
        (void)snprintf(r.if_modified_since, sizeof(r.if_modified_since), "%s", rows[i].since);
        if (http_is_unchanged(&r, "abc", CHANGED, NOW) != rows[i].unchanged) {
            fail_msg("row %zu", i);
        }
        if (rows[i].tags == NULL) {
            assert_false(http_is_unchanged(&r, "abc", 0, NOW));
        }
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_form_of_a_date_is_read_and_one_is_written),
        cmocka_unit_test(a_tag_decides_and_otherwise_the_date),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
