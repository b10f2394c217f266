/* SPDX-License-Identifier: Apache-2.0 */
#include "base/text.h"

#include <openssl/asn1.h>
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

/* The first and the last character of each range that is not shown, and their neighbours. */
static void
ranges_that_are_not_shown_have_ends(void **state)
{
    static const struct {
        uint32_t code;
        bool visible;
    } rows[] = {
        {0x01, false},     {0x1f, false},    {0x20, true},     {0x7e, true},    {0x7f, false},
        {0x9f, false},     {0xa0, true},     {0xac, true},     {0xad, false},   {0xae, true},
        {0x61b, true},     {0x61c, false},   {0x61d, true},    {0x200a, true},  {0x200b, false},
        {0x200f, false},   {0x2010, true},   {0x2027, true},   {0x2028, false}, {0x202e, false},
        {0x202f, true},    {0x205f, true},   {0x2060, false},  {0x206f, false}, {0x2070, true},
        {0xd7ff, true},    {0xe000, true},   {0xfefe, true},   {0xfeff, false}, {0xff00, true},
        {0xffef, true},    {0xfff0, false},  {0xfffb, false},  {0xfffc, true},  {0xdfffd, true},
        {0xe0000, false},  {0xe0fff, false}, {0xe1000, true},  {0xefffd, true}, {0xf0000, false},
        {0x10ffff, false}, {0xfdcf, true},   {0xfdd0, false},  {0xfdef, false}, {0xfdf0, true},
        {0xfffe, false},   {0xdffff, false}, {0xefffe, false},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        unsigned char octets[4];
        char shown[TEXT_SHOWN_SIZE(4)];
        int n = UTF8_putc(octets, sizeof(octets), rows[i].code);

        assert_true(n > 0);
        text_show(span_of(octets, (size_t)n), shown);
        if ((memcmp(shown, octets, (size_t)n) == 0 && strlen(shown) == (size_t)n) !=
            rows[i].visible) {
            fail_msg("U+%04X: %s", rows[i].code, shown);
        }
    }
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
        cmocka_unit_test(ranges_that_are_not_shown_have_ends),
        cmocka_unit_test(characters_are_taken_one_by_one),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
