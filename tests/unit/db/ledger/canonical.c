/* SPDX-License-Identifier: Apache-2.0 */
/* canonical.h: whatever the values are, the octets are those that jansson makes. */
#include "db/ledger/canonical.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/test.h"

static const char *const texts[] = {
    "",
    "plain text, with / and ~ and DEL \x7f",
    "\"",
    "\\",
    "a \"quoted\" word and a \\",
    "\x01\b\t\n\f\r\x1f",
    "\xc3\xa9 of two octets",
    "\xe2\x82\xac of three",
    "\xf0\x9f\x94\x91 of four, two \\u in JSON",
    "2026-11-18T11:06:40Z",
};

/* Takes the object. */
static void
is_as_jansson_writes(json_t *object)
{
    char *wanted = json_dumps(object, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENSURE_ASCII);
    CLEANUP(mem_cleanup) char *text = NULL;
    size_t n;

    text = canonical_dup(object, &n);
    assert_non_null(wanted);
    assert_string_equal(text, wanted);
    assert_int_equal(n, strlen(wanted));
    free(wanted);
    json_decref(object);
}

static void
each_text_is_written_as_jansson_writes_it(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        is_as_jansson_writes(json_pack("{s:s}", "name", texts[i]));
    }
}

static void
each_octet_of_ascii_is_written_as_jansson_writes_it(void **state)
{
    (void)state;
    for (char c = 1; c > 0 && c < 127; c++) {
        const char text[] = {'a', c, 'z', '\0'};

        is_as_jansson_writes(json_pack("{s:s}", "name", text));
    }
}

static void
a_long_text_of_what_is_escaped_fits(void **state)
{
    enum { LONG = 20000 };
    CLEANUP(mem_cleanup) char *text = mem_zalloc(LONG + 1, 1);

    (void)state;
    memset(text, 1, LONG);
    is_as_jansson_writes(json_pack("{s:s}", "name", text));
}

static void
numbers_and_truth_are_written_as_jansson_writes_them(void **state)
{
    static const json_int_t numbers[] = {0, 1, -1, INT32_MAX, INT64_MAX, INT64_MIN};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
        is_as_jansson_writes(json_pack("{s:I}", "name", numbers[i]));
    }
    is_as_jansson_writes(json_pack("{s:b,s:b}", "no", 0, "yes", 1));
}

static void
names_are_in_order(void **state)
{
    (void)state;
    is_as_jansson_writes(json_object());
    is_as_jansson_writes(json_pack("{s:s,s:i,s:s,s:s,s:b,s:s}", "serial", "00", "number", 7, "rid",
                                   texts[4], "registration", texts[1], "softwareToken", 1, "r",
                                   texts[8]));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_text_is_written_as_jansson_writes_it),
        cmocka_unit_test(each_octet_of_ascii_is_written_as_jansson_writes_it),
        cmocka_unit_test(a_long_text_of_what_is_escaped_fits),
        cmocka_unit_test(numbers_and_truth_are_written_as_jansson_writes_them),
        cmocka_unit_test(names_are_in_order),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
