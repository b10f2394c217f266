/* SPDX-License-Identifier: Apache-2.0 */
#include "base/typed.h"

#include <string.h>

#include "base/mem.h"
#include "tests/support/test.h"

static void
numbers_are_taken_as_programs_print_them(void **state)
{
    static const char *const rows[] = {
        "4a0bff10",     "4A0BFF10",   "4a:0b:ff:10",   "4A:0B:FF:10",
        "0x4a0bff10",   "0X4A0BFF10", "4a 0b ff 10",   "00:4a:0b:ff:10",
        "0x004a0bff10", "4a0b:ff10",  "0x4a:0b:ff:10",
    };
    static const uint8_t wanted[] = {0x4a, 0x0b, 0xff, 0x10};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        uint8_t out[4] = {0};
        struct err e = {0};

        if (typed_hex_parse(rows[i], "serial", out, sizeof(out), &e) != 0 ||
            memcmp(out, wanted, sizeof(wanted)) != 0) {
            fail_msg("%s: %s", rows[i], e.text);
        }
    }
}

static void
other_texts_are_refused_with_what_is_taken(void **state)
{
    static const char *const rows[] = {
        "",           "0x",         "4a0bff1",      "4a0bff1g",
        "4a0bff10ff", "014a0bff10", "4a::0b:ff:10", ":4a0bff10",
        "4a0bff10:",  "4:a0bff10",  "4a,0b,ff,10",  "-4a0bff10",
        " 4a0bff10",  "4a0bff10 ",  "0x0x4a0bff10", "serial=4a0bff10",
        "1242300176", "104a0bff10", "0x:4a0bff10",  "4a0bff1/",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        uint8_t out[4];
        struct err e = {0};

        if (typed_hex_parse(rows[i], "serial", out, sizeof(out), &e) == 0) {
            fail_msg("'%s' is taken", rows[i]);
        }
        assert_int_equal(e.code, ERR_INPUT);
        assert_non_null(strstr(e.text, "serial: '"));
        assert_non_null(strstr(e.text, "8 hexadecimal digits are wanted"));
    }
}

static void
digits_that_do_not_fit_are_refused(void **state)
{
    char out[5];

    (void)state;
    assert_int_equal(typed_hex("AB:CD", out, sizeof(out)), 0);
    assert_string_equal(out, "abcd");
    assert_int_equal(typed_hex("abcdef", out, sizeof(out)), -1);
    assert_int_equal(typed_hex("", out, sizeof(out)), -1);
    assert_int_equal(typed_hex("a", out, sizeof(out)), -1);
}

/* Leading octets of 0 are left out, but not of a number that has no more than those. */
static void
numbers_have_256_digits_at_most(void **state)
{
    char text[260];
    uint8_t out[128];
    struct err e = {0};

    (void)state;
    memset(text, '0', sizeof(text));
    text[255] = '7';
    text[256] = '\0';
    assert_ok(typed_hex_parse(text, "n", out, 1, &e), &e);
    assert_int_equal(out[0], 7);
    assert_ok(typed_hex_parse(text, "n", out, 128, &e), &e);
    text[256] = text[257] = '0';
    text[258] = '\0';
    assert_err(typed_hex_parse(text, "n", out, 1, &e), ERR_INPUT, &e);
    assert_ok(typed_hex_parse("0000", "n", out, 1, &e), &e);
    assert_int_equal(out[0], 0);
    assert_err(typed_hex_parse("0100", "n", out, 1, &e), ERR_INPUT, &e);
    assert_err(typed_hex_parse("00", "n", out, 2, &e), ERR_INPUT, &e);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_taken_as_programs_print_them),
        cmocka_unit_test(other_texts_are_refused_with_what_is_taken),
        cmocka_unit_test(numbers_have_256_digits_at_most),
        cmocka_unit_test(digits_that_do_not_fit_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
