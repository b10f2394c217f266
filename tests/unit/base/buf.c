/* SPDX-License-Identifier: Apache-2.0 */
#include "base/buf.h"

#include <string.h>

#include "base/ossl.h"
#include "tests/support/test.h"

static void
append_stops_at_the_maximum_and_keeps_what_was_there(void **state)
{
    CLEANUP(buf_free) struct buf b = BUF_INIT(5);
    struct err e = {0};

    (void)state;
    assert_ok(buf_append_str(&b, "abc", &e), &e);
    assert_err(buf_append_str(&b, "def", &e), ERR_INPUT, &e);
    assert_true(span_equal(buf_span(&b), SPAN_LITERAL("abc")));
    assert_ok(buf_append_str(&b, "de", &e), &e);
    assert_int_equal(b.n, 5);
    assert_null(buf_extend(&b, 1, &e));
    assert_null(buf_extend(&b, SIZE_MAX, &e));
}

static void
a_secret_lives_in_locked_memory_and_is_wiped_when_cut(void **state)
{
    CLEANUP(buf_free) struct buf b = BUF_SECRET(100);
    struct err e = {0};

    (void)state;
    assert_ok(buf_append_str(&b, "0123456789", &e), &e);
    assert_int_equal(CRYPTO_secure_allocated(b.p), 1);
    buf_truncate(&b, 4);
    assert_memory_equal(b.p, "0123\0\0\0\0\0\0", 10);
    buf_free(&b);
    assert_null(b.p);
}

static void
growing_keeps_the_content(void **state)
{
    CLEANUP(buf_free) struct buf b = BUF_INIT(100000);
    struct err e = {0};

    (void)state;
    for (unsigned i = 0; i < 30000; i++) {
        uint8_t octet = (uint8_t)(i * 7);

        assert_ok(buf_append(&b, span_of(&octet, 1), &e), &e);
    }
    for (unsigned i = 0; i < 30000; i++) {
        assert_int_equal(b.p[i], (uint8_t)(i * 7));
    }
    buf_consume(&b, 29999);
    assert_int_equal(b.n, 1);
    assert_int_equal(b.p[0], (uint8_t)(29999U * 7));
}

static void
hex_goes_round_and_refuses_everything_else(void **state)
{
    static const char *const bad[] = {"", "0", "012", "01230g", "0123 5", "012345 "};
    uint8_t out[3];
    char text[7];
    struct err e = {0};

    (void)state;
    assert_ok(hex_parse("01aBfF", out, 3, &e), &e);
    hex_format(span_of(out, 3), text);
    assert_string_equal(text, "01abff");
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        assert_err(hex_parse(bad[i], out, 3, &e), ERR_INPUT, &e);
    }
}

static void
comparison_looks_at_length_and_every_octet(void **state)
{
    (void)state;
    assert_true(span_equal_secret(SPAN_LITERAL("abc"), SPAN_LITERAL("abc")));
    assert_false(span_equal_secret(SPAN_LITERAL("abc"), SPAN_LITERAL("abd")));
    assert_false(span_equal_secret(SPAN_LITERAL("abc"), SPAN_LITERAL("ab")));
    assert_true(span_equal(span_of(NULL, 0), span_of("", 0)));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(append_stops_at_the_maximum_and_keeps_what_was_there),
        cmocka_unit_test(a_secret_lives_in_locked_memory_and_is_wiped_when_cut),
        cmocka_unit_test(growing_keeps_the_content),
        cmocka_unit_test(hex_goes_round_and_refuses_everything_else),
        cmocka_unit_test(comparison_looks_at_length_and_every_octet),
    };
    struct err e = {0};

    return ossl_init(&e) != 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
