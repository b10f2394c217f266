/* SPDX-License-Identifier: Apache-2.0 */
#include "db/sealed/key.h"

#include <string.h>

#include "tests/support/test.h"

static void
a_key_is_read_back_as_it_was(void **state)
{
    static const int64_t numbers[] = {0, 1, -1, INT64_MAX, INT64_MIN};
    struct store_value values[SEALED_KEYS_MAX];
    struct store_value back[SEALED_KEYS_MAX];
    struct key key;
    struct err e = {0};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
        values[0] = store_int(numbers[i]);
        values[1] = store_text("\xc3\xa4");
        values[2] = i % 2 == 0 ? store_null() : store_blob(SPAN_LITERAL("a\0b"));
        assert_ok(key_encode(values, 3, &key, &e), &e);
        assert_true(key_decode(key_span(&key), back, 3));
        assert_false(key_decode(key_span(&key), back, 2));
        assert_true(back[0].number == numbers[i]);
        for (size_t k = 0; k < 3; k++) {
            assert_int_equal(back[k].type, values[k].type);
            assert_true(span_equal(back[k].bytes, values[k].bytes));
        }
    }
}

static void
no_two_keys_are_the_same_octets(void **state)
{
    const struct store_value keys[][2] = {
        {store_text("a"), store_text("bc")},
        {store_text("ab"), store_text("c")},
        {store_blob(SPAN_LITERAL("a")), store_text("bc")},
        {store_text("abc"), store_text("")},
        {store_text("abc"), store_null()},
        {store_null(), store_text("abc")},
        {store_int(0), store_int(1)},
        {store_int(1), store_int(0)},
    };
    struct err e = {0};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
        for (size_t k = 0; k < i; k++) {
            struct key a;
            struct key b;

            assert_ok(key_encode(keys[i], 2, &a, &e), &e);
            assert_ok(key_encode(keys[k], 2, &b, &e), &e);
            assert_false(span_equal(key_span(&a), key_span(&b)));
        }
    }
}

static void
what_is_no_key_is_none(void **state)
{
    static const struct {
        const char *octets;
        size_t n;
    } bad[] = {
        {"", 0},
        {"\x02", 1},
        {"\x02\0", 2},
        {"\x02\0\x02z", 4},
        {"\x04\0\0", 3},
        {"\0\0\x01z", 4},
        {"\x01\0\x01z", 4},
        {"\x02\0\x01zz", 5},
        {"\x02\xff\xffz", 4},
    };
    struct store_value value;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        assert_false(key_decode(span_of(bad[i].octets, bad[i].n), &value, 1));
    }
}

static void
a_key_that_is_too_long_is_refused(void **state)
{
    static uint8_t octets[SEALED_KEY_OCTETS];
    struct key key;
    struct err e = {0};

    (void)state;
    for (size_t n = SEALED_KEY_OCTETS - 3; n <= SEALED_KEY_OCTETS; n++) {
        const struct store_value value = store_blob(span_of(octets, n));

        if (n == SEALED_KEY_OCTETS - 3) {
            assert_ok(key_encode(&value, 1, &key, &e), &e);
        } else {
            assert_err(key_encode(&value, 1, &key, &e), ERR_INPUT, &e);
        }
    }
}

static void
people_read_it_without_control_characters(void **state)
{
    const struct store_value values[] = {store_text("a\x1b[b c"), store_int(-7),
                                         store_blob(SPAN_LITERAL("\x0f\xa0"))};
    static uint8_t octets[200];
    const struct store_value many = store_blob(span_of(octets, sizeof(octets)));
    char text[KEY_TEXT_SIZE];

    (void)state;
    key_text(values, 3, text);
    assert_string_equal(text, "a?[b?c/-7/0fa0");
    key_text(&many, 1, text);
    assert_int_equal(strlen(text), KEY_TEXT_SIZE - 1);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_key_is_read_back_as_it_was),
        cmocka_unit_test(no_two_keys_are_the_same_octets),
        cmocka_unit_test(what_is_no_key_is_none),
        cmocka_unit_test(a_key_that_is_too_long_is_refused),
        cmocka_unit_test(people_read_it_without_control_characters),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
