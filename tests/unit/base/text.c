/* SPDX-License-Identifier: Apache-2.0 */
#include "base/text.h"

#include <string.h>

#include "tests/support/test.h"

static void
what_people_can_read_stays_and_the_rest_is_escaped(void **state)
{
    static const struct {
        const char *octets;
        const char *shown;
    } rows[] = {
        {"", ""},
        {"root-token", "root-token"},
        {"Schl\xc3\xbcssel", "Schl\xc3\xbcssel"},
        {"\xe9\x8d\xb5", "\xe9\x8d\xb5"},                 /* three octets */
        {"\xf0\x9f\x94\x91", "\xf0\x9f\x94\x91"},         /* four */
        {"Schl\xfcssel", "Schl\\xfcssel"},                /* Latin-1 */
        {"cut \xe9\x8d", "cut \\xe9\\x8d"},               /* at the end of the field */
        {"\x1b[31m\r\n\x7f", "\\x1b[31m\\x0d\\x0a\\x7f"}, /* drives a terminal */
        {"\xc2\x9b", "\\xc2\\x9b"},                       /* as one octet above it does */
        {"a\xe2\x80\xae"
         "b",
         "a\\xe2\\x80\\xae"
         "b"}, /* the other direction */
        {"a\xe2\x80\x8b"
         "b",
         "a\\xe2\\x80\\x8b"
         "b"},                                        /* no width */
        {"\xc0\xaf", "\\xc0\\xaf"},                   /* overlong */
        {"\xed\xa0\x80", "\\xed\\xa0\\x80"},          /* half of a pair */
        {"\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80"}, /* above U+10FFFF */
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char shown[TEXT_SHOWN_SIZE(32)];

        text_show(span_str(rows[i].octets), shown);
        if (strcmp(shown, rows[i].shown) != 0) {
            fail_msg("row %zu: %s", i, shown);
        }
    }
}

static void
a_nul_is_shown_too_and_the_size_suffices(void **state)
{
    char shown[TEXT_SHOWN_SIZE(3)];

    (void)state;
    text_show(SPAN_LITERAL("\0\xff\0"), shown);
    assert_string_equal(shown, "\\x00\\xff\\x00");
}

static void
characters_are_taken_one_by_one(void **state)
{
    uint32_t code = 1;

    (void)state;
    assert_int_equal(text_character((struct span){0}, &code), 0);
    assert_int_equal(text_character(SPAN_LITERAL("\xff"), &code), 0);
    assert_int_equal(text_character(SPAN_LITERAL("\xc3\xbcx"), &code), 2);
    assert_int_equal(code, 0xfc);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_people_can_read_stays_and_the_rest_is_escaped),
        cmocka_unit_test(a_nul_is_shown_too_and_the_size_suffices),
        cmocka_unit_test(characters_are_taken_one_by_one),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
